"""Files of a pair network: ``network.json`` and ``weights.npz``."""

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
    """Write both files into ``folder``, which is created."""
    save_arrays(folder / "weights.npz", arrays)
    about = {"format": FORMAT_VERSION, "kind": kind, "config": config.model_dump(mode="json")}
    write_json(folder / "network.json", {**about, **facts})


@dataclass(frozen=True, eq=False)
class StoredNetwork:
    """Content of the files of a network, before validation."""

    folder: Path
    facts: Mapping[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]]

    def value(self, name: str, kind: type[Value]) -> Value:
        """One of the facts.

        Raises:
            DataError: It is missing or has another type.
        """
        value = self.facts.get(name)
        if not isinstance(value, kind):
            raise DataError(
                f"network.json in {self.folder} has no valid '{name}' (expected {kind.__name__}, "
                f"got {value!r:.40}): train again"
            )
        return value

    def names(self, kind: str, name: str) -> IdMap:
        """A list of distinct, non-empty strings, as ids of this kind."""
        found = self.value(name, list)
        if not all(isinstance(each, str) and each for each in found):
            raise DataError(f"network.json in {self.folder}: '{name}' holds no names: train again")
        return IdMap.of(kind, found)

    def array(self, name: str, *shape: int | None) -> npt.NDArray[np.float32]:
        """A finite array of this shape; None is any length.

        Raises:
            DataError: It is missing, not finite or of another shape.
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
                f"the weights in {self.folder} do not fit its network.json ('{name}'): train again"
            )
        if not np.isfinite(array).all():
            raise DataError(
                f"the weights in {self.folder} hold values that are not finite: train again"
            )
        return array.astype(np.float32)

    def head(self, dimension: int, hidden: Sequence[int]) -> PairHead:
        """The head of vectors of width ``dimension`` with these hidden layers."""
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


def read_network(folder: Path, kind: str) -> StoredNetwork:
    """Read both files.

    Raises:
        DataError: One is missing or damaged, or it is a network of another kind or format.
    """
    try:
        facts = read_json(folder / "network.json")
        arrays = load_arrays(folder / "weights.npz")
    except (OSError, ValueError) as error:
        raise DataError(
            f"cannot read the pair network in {folder}: {error}; train again"
        ) from error
    expected = {"format": FORMAT_VERSION, "kind": kind}
    for key, value in expected.items():
        came = facts.get(key) if isinstance(facts, dict) else None
        if came != value:
            raise DataError(
                f"the pair network in {folder} has the {key} {came!r}; expected {value!r}: train "
                "again or use the version that wrote it"
            )
    return StoredNetwork(folder, facts, arrays)
