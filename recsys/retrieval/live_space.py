"""A space whose items change: one version, read as any other space."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from recsys.errors import DataError
from recsys.ids import Mask, Rows, Vectors
from recsys.index import RowSet
from recsys.index.live import LiveIndex, LiveVectors, load_live
from recsys.index.scoring import exact_scores
from recsys.index.storage import load_vectors, save_vectors
from recsys.retrieval.space import Space

_INDEX = "live"


@dataclass(frozen=True, eq=False)
class LiveMask:
    """Whether each row has a vector in one version, read as a mask is.

    Attributes:
        index: The version.
    """

    index: LiveIndex
    dtype = np.dtype(np.bool_)
    ndim = 1

    @property
    def shape(self) -> tuple[int]:
        """Number of rows."""
        return (len(self.index),)

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, key: Any) -> Any:
        rows: Rows = np.asarray(key)
        if rows.dtype.kind not in "iu":
            return self.index.mask[key]
        alive = self.index.live_vectors.alive(rows.reshape(-1))
        return bool(alive[0]) if rows.ndim == 0 else alive.reshape(rows.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.index.mask if dtype is None else self.index.mask.astype(dtype)

    def __invert__(self) -> Mask:
        return ~self.index.mask

    def all(self) -> bool:
        """Whether every row has a vector."""
        return self.index.counts.alive == len(self.index)

    def any(self) -> bool:
        """Whether a row has a vector."""
        return self.index.counts.alive > 0


@dataclass(frozen=True, eq=False)
class LiveSpace(Space):
    """One version of a space whose items change; ``SpaceWriter`` makes the versions.

    ``vectors`` and ``mask`` are read as arrays are, and know items newer than the base.

    Example:
        >>> from recsys.index import ExactConfig
        >>> space = Space.two_tower(np.eye(2, dtype=np.float32), ExactConfig())
        >>> live = LiveSpace.over(space)
        >>> live.vectors[1].tolist(), live.mask[np.array([0, 1])].tolist()
        ([0.0, 1.0], [True, True])
    """

    def __post_init__(self) -> None:
        """Nothing to check: the index has checked its vectors."""

    @classmethod
    def over(cls, space: Space) -> LiveSpace:
        """The first version, with the items of a space."""
        return cls.of(space.name, LiveIndex.over(space.index, alive=space.mask))

    @classmethod
    def of(cls, name: str, index: LiveIndex) -> LiveSpace:
        """The space of a version of an index."""
        return cls(index.vectors, cast(Mask, LiveMask(index)), name, index)

    @property
    def live_index(self) -> LiveIndex:
        """The index, with its full type."""
        return cast(LiveIndex, self.index)

    def scores(self, rows: Rows, query: Vectors) -> Vectors:
        """Inner products of ``rows`` with one query ``[d]``, float32 ``[len(rows)]``.

        They equal those of :meth:`search`; a row without a vector has 0, as its vector is zeros.
        """
        return exact_scores(self.vectors[rows], np.arange(len(rows), dtype=np.int32), query)

    def save(self, folder: Path) -> None:
        """Write the vectors of the base, the delta and the index into a new or empty folder."""
        folder.mkdir(parents=True, exist_ok=True)
        vectors = cast(LiveVectors, self.vectors)
        save_vectors(folder, vectors.base)
        self.index.save(folder / _INDEX)

    @classmethod
    def load(cls, folder: Path, name: str) -> LiveSpace:
        """Read what :meth:`save` wrote; the vectors of the base stay in the file.

        Raises:
            DataError: A file is missing or damaged, or the parts do not belong together.
        """
        try:
            base = load_vectors(folder)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"cannot read the live space in {folder}: {error}") from error
        return cls.of(name, load_live(folder / _INDEX, base))

    def _eligible(self, allowed: RowSet | None) -> RowSet | None:
        return allowed  # The index hides rows without a vector itself.
