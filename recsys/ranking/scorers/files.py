"""Files of a saved scorer: ``scorer.json`` and ``scorer.npz``, or a model as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.files import load_arrays, read_json


@dataclass(frozen=True, eq=False)
class ScorerFiles:
    """Content of the files, checked as it is read.

    Attributes:
        folder: Folder of the files.
        facts: Content of ``scorer.json``.
    """

    folder: Path
    facts: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> ScorerFiles:
        """Read ``scorer.json``.

        Raises:
            DataError: It is missing or damaged.
        """
        try:
            facts = read_json(folder / "scorer.json")
        except (OSError, ValueError) as error:
            raise DataError(f"cannot read the scorer in {folder}: {error}; train again") from error
        files = cls(folder, facts if isinstance(facts, dict) else {})
        files.features  # noqa: B018  checked on entry
        return files

    @property
    def kind(self) -> str:
        """Name of the implementation."""
        return str(self.facts.get("kind"))

    @cached_property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        names = self.facts.get("features")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self.fault("features", "a list of names", names)
        return tuple(names)

    def number(self, name: str) -> float:
        """A finite number of ``scorer.json``.

        Raises:
            DataError: It is missing or not finite.
        """
        value = self.facts.get(name)
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            raise self.fault(name, "a finite number", value)
        return float(value)

    @cached_property
    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Content of ``scorer.npz``."""
        try:
            return load_arrays(self.folder / "scorer.npz")
        except (OSError, ValueError) as error:
            raise DataError(
                f"cannot read the scorer in {self.folder}: {error}; train again"
            ) from error

    def array(self, name: str, *shape: int | None) -> npt.NDArray[np.float32]:
        """A finite array of this shape; None is any length.

        Raises:
            DataError: It is missing, not finite or of another shape.
        """
        array = self.arrays.get(name)
        if (
            array is None
            or array.dtype.kind != "f"
            or array.ndim != len(shape)
            or any(want not in (None, size) for want, size in zip(shape, array.shape))
            or not np.isfinite(array).all()
        ):
            came = None if array is None else f"{array.dtype} {array.shape}"
            raise self.fault(name, f"finite numbers of the shape {shape}", came)
        return array.astype(np.float32)

    def fault(self, name: str, expected: str, came: object) -> DataError:
        """The error for a part that does not fit."""
        return DataError(
            f"the scorer in {self.folder} must have '{name}' as {expected}; got {came!r:.80}: "
            "train again"
        )
