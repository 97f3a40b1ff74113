"""Pair networks on disk: ``network.json`` says what they are, ``weights.npz`` holds the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from recsys.config import Config
from recsys.errors import DataError
from recsys.files import load_arrays, read_json, save_arrays, write_json
from recsys.ids import IdMap
from recsys.ranking.head import PairHead

FORMAT_VERSION = 1
Value = TypeVar("Value")


def layers_of(head: PairHead) -> dict[str, npt.NDArray[Any]]:
    """The head's arrays by name."""
    return {
        f"{part}/{at:03d}": array
        for at, layer in enumerate(head.layers)
        for part, array in zip(("kernel", "bias"), layer)
    }


def write_network(
    folder: Path,
    kind: str,
    config: Config,
    arrays: Mapping[str, npt.NDArray[Any]],
    **facts: Any,
) -> None:
    """Write both files; the folder is made."""
    save_arrays(folder / "weights.npz", arrays)
    about = {"format": FORMAT_VERSION, "kind": kind, "config": config.model_dump(mode="json")}
    write_json(folder / "network.json", {**about, **facts})


@dataclass(frozen=True, eq=False)
class Kept:
    """What a folder holds, read and not yet trusted.

    Attributes:
        folder: Where it was read; for messages.
        facts: ``network.json``.
        arrays: ``weights.npz``.
    """

    folder: Path
    facts: Mapping[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]]

    def values(self, name: str, kind: type[Value]) -> Value:
        """One of the facts.

        Raises:
            DataError: It is not there, or is something else.
        """
        value = self.facts.get(name)
        if not isinstance(value, kind):
            raise DataError(
                f"network.json in {self.folder} has no valid '{name}' (expected {kind.__name__}, "
                f"got {value!r:.40}): train anew"
            )
        return value

    def names(self, kind: str, name: str) -> IdMap:
        """A list of different, non-empty strings, as ids of this kind."""
        found = self.values(name, list)
        if not all(isinstance(each, str) and each for each in found):
            raise DataError(f"network.json in {self.folder}: '{name}' holds no names: train anew")
        return IdMap.of(kind, found)

    def array(self, name: str, *shape: int | None) -> npt.NDArray[np.float32]:
        """A finite array of this shape; None stands for any length.

        Raises:
            DataError: It is not there, or is something else.
        """
        array = self.arrays.get(name)
        fits = (
            array is not None
            and array.dtype.kind == "f"
            and array.ndim == len(shape)
            and all(want in (None, size) for want, size in zip(shape, array.shape))
        )
        if array is None or not fits:
            raise DataError(
                f"the weights in {self.folder} do not fit its network.json ('{name}'): train anew"
            )
        if not np.isfinite(array).all():
            raise DataError(
                f"the weights in {self.folder} hold values that are not finite: train anew"
            )
        return array.astype(np.float32)

    def head(self, dimension: int, hidden: Sequence[int]) -> PairHead:
        """The head over vectors of this width with these hidden layers."""
        widths = [4 * dimension, *hidden, 1]
        return PairHead(
            tuple(
                (
                    self.array(f"kernel/{at:03d}", widths[at], widths[at + 1]),
                    self.array(f"bias/{at:03d}", widths[at + 1]),
                )
                for at in range(len(widths) - 1)
            )
        )


def read_network(folder: Path, kind: str) -> Kept:
    """Read both files.

    Raises:
        DataError: One is missing or damaged, or it is a network of another kind or format.
    """
    try:
        facts = read_json(folder / "network.json")
        arrays = load_arrays(folder / "weights.npz")
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read the pair network in {folder}: {error}; train anew") from error
    expected = {"format": FORMAT_VERSION, "kind": kind}
    for key, value in expected.items():
        came = facts.get(key) if isinstance(facts, dict) else None
        if came != value:
            raise DataError(
                f"the pair network in {folder} has the {key} {came!r}; expected {value!r}: train "
                "anew or use the version that wrote it"
            )
    return Kept(folder, facts, arrays)
