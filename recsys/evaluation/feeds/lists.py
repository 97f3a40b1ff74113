"""Lists of items of any length, one per query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.ids import Mask, Rows


@dataclass(frozen=True, eq=False)
class Lists:
    """q lists of item rows, best first.

    Attributes:
        rows: int32 ``[q, n]``; 0 beyond the end of a list.
        valid: Whether a position has an item, bool ``[q, n]``: True, then False.

    Raises:
        DataError: Shapes differ, or a list has an item after an empty position.

    Example:
        >>> lists = Lists.of([[4, 1], [], [2]])
        >>> lists.lengths.tolist(), lists.first(1).rows.tolist()
        ([2, 0, 1], [[4], [0], [2]])
    """

    rows: Rows
    valid: Mask

    def __post_init__(self) -> None:
        if self.rows.ndim != 2 or self.rows.shape != self.valid.shape:
            raise DataError(f"lists need [q, n] rows and mask; got {self.rows.shape}")
        if (self.valid[:, 1:] & ~self.valid[:, :-1]).any():
            raise DataError("a list has an item after an empty position")

    @classmethod
    def of(cls, lists: Sequence[Sequence[int] | Rows]) -> Lists:
        """Lists of different lengths."""
        lengths = np.array([len(each) for each in lists], np.int64)
        width = int(lengths.max(initial=0))
        valid = np.arange(width) < lengths[:, None]
        rows = np.zeros(valid.shape, np.int32)
        if valid.any():
            rows[valid] = np.concatenate([np.asarray(each, np.int32) for each in lists])
        return cls(rows, valid)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of items per list, int64 ``[q]``."""
        return np.asarray(np.count_nonzero(self.valid, axis=1), np.int64)

    def first(self, k: int) -> Lists:
        """The first k items of each list."""
        return Lists(self.rows[:, :k], self.valid[:, :k])

    def hits(self, targets: Lists) -> Mask:
        """Whether each position has a target of its query, bool ``[q, n]``."""
        size = 1 + int(max(self.rows.max(initial=0), targets.rows.max(initial=0)))
        query = np.arange(len(self))[:, None] * size
        wanted = (query + targets.rows)[targets.valid]
        return np.asarray(np.isin(query + self.rows, wanted) & self.valid)
