"""Sets of rows: which rows of an index a search may return, and which are deleted."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap, FrozenBitMap

from recsys.ids import Mask, Rows

ALIVE = np.iinfo(np.int64).max
"""Value of a row that no version hides."""
_BLOCK, _MOST_LISTED, _NO_RUNS = 2**16, 4_096, 12_346
"""Rows of a container of a bitmap, of which more than the second number are stored as bits, and the
first number of a stored bitmap without compressed runs."""


@dataclass(frozen=True, eq=False)
class RowSet:
    """An immutable set of rows out of ``size``, as a compressed bitmap.

    An index keeps what it derives from a set as long as the object lives, so a caller that searches
    with the same set again passes the same object.

    Attributes:
        bitmap: The rows.
        size: Number of rows of the index; every row is below it.

    Example:
        >>> even = RowSet.of_rows([0, 2, 4], 6)
        >>> few = RowSet.of_mask(np.array([True, True, True, False, False, False]))
        >>> (even & few).rows.tolist(), (few - even).rows.tolist(), len(even | few)
        ([0, 2], [1], 4)
    """

    bitmap: FrozenBitMap
    size: int

    @classmethod
    def of_mask(cls, mask: Mask) -> RowSet:
        """The rows where a mask, bool ``[size]``, is true."""
        return cls(FrozenBitMap(bitmap_of_mask(mask)), len(mask))

    @classmethod
    def of_rows(cls, rows: Rows | Iterable[int], size: int) -> RowSet:
        """Rows in any order; each must be from 0 to ``size`` - 1."""
        if not isinstance(rows, np.ndarray):
            rows = np.fromiter(rows, np.int32)
        return cls(FrozenBitMap(bitmap_of_rows(rows)), size)

    @classmethod
    def all(cls, size: int) -> RowSet:
        """Every row."""
        return cls(FrozenBitMap(range(size)), size)

    def __len__(self) -> int:
        return len(self.bitmap)

    def __contains__(self, row: int) -> bool:
        return row in self.bitmap

    def __and__(self, other: RowSet) -> RowSet:
        return RowSet(self.bitmap & other.bitmap, self.size)

    def __or__(self, other: RowSet) -> RowSet:
        return RowSet(self.bitmap | other.bitmap, self.size)

    def __sub__(self, other: RowSet) -> RowSet:
        return RowSet(self.bitmap - other.bitmap, self.size)

    @cached_property
    def rows(self) -> Rows:
        """The rows, ascending, int32 ``[len(self)]``."""
        return np.asarray(self.bitmap.to_array(), np.int64).astype(np.int32)

    @cached_property
    def mask(self) -> Mask:
        """True for the rows of the set, bool ``[size]``."""
        mask = np.zeros(self.size, np.bool_)
        mask[self.rows] = True
        return mask


@dataclass(frozen=True, eq=False)
class GrownRowSet(RowSet):
    """The rows of a condition on items of which some were added, replaced or deleted.

    An index keeps what it derived from ``first`` while items change.

    Attributes:
        first: Rows of the same condition before the first change, out of the number of rows then.
            A row that was not replaced or deleted since is in both sets or in neither.
    """

    first: RowSet


@dataclass(frozen=True, eq=False)
class Liveness:
    """Which rows of an immutable index are not deleted, in one version of a changing data set.

    All versions share one array, in which the value of a row is only ever lowered: from ``ALIVE``
    to the version that deletes the row. An earlier version therefore does not change.

    Attributes:
        died: First version in which each row is hidden, int64 ``[n]``.
        version: Version of this view.
        count: Number of hidden rows in this version.

    Example:
        >>> died = np.array([ALIVE, 2, ALIVE])
        >>> Liveness(died, version=2, count=1).hidden.tolist()
        [False, True, False]
        >>> Liveness(died, version=1, count=0).hidden.tolist()
        [False, False, False]
    """

    died: npt.NDArray[np.int64]
    version: int
    count: int

    @property
    def hidden(self) -> Mask:
        """True for the rows that are deleted, bool ``[n]``; computed on each call."""
        mask: Mask = self.died <= self.version
        return mask


def bitmap_of_rows(rows: npt.NDArray[np.integer]) -> BitMap:
    """A bitmap of rows in any order.

    pyroaring reads a buffer of 32-bit numbers about a hundred times as fast as an array of NumPy,
    each of whose elements becomes an object of Python.
    """
    return BitMap(array("I", rows.astype(np.uint32).tobytes()))


def bitmap_of_mask(mask: Mask) -> BitMap:
    """A bitmap of the rows where a mask is true.

    Where a block of 65,536 rows has more than 4,096, its bits are written in the format in which a
    bitmap stores them (github.com/RoaringBitmap/RoaringFormatSpec).
    """
    if np.count_nonzero(mask) * _BLOCK < len(mask) * _MOST_LISTED:
        return bitmap_of_rows(np.flatnonzero(mask))
    blocks = np.zeros((-(-len(mask) // _BLOCK), _BLOCK), np.bool_)
    blocks.reshape(-1)[: len(mask)] = mask
    counts = np.count_nonzero(blocks, axis=1)
    full, few = np.flatnonzero(counts > _MOST_LISTED), np.flatnonzero(counts <= _MOST_LISTED)
    bits = np.packbits(blocks[full], axis=1, bitorder="little")
    keys = np.stack([full, counts[full] - 1], axis=1).astype("<u2")
    start = 2 * 4 + len(full) * (2 * 2 + 4)
    offsets = (start + bits.shape[1] * np.arange(len(full))).astype("<u4")
    head = np.array([_NO_RUNS, len(full)], "<u4")
    stored = b"".join(part.tobytes() for part in (head, keys, offsets, bits))
    block, column = np.nonzero(blocks[few])
    return BitMap.deserialize(stored) | bitmap_of_rows(few[block] * _BLOCK + column)
