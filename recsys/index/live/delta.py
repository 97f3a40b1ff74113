"""Vectors newer than the base index: one generation of append-only arrays.

A writer appends entries and marks others as replaced; a reader holds a length and a version, below
which nothing changes. So a snapshot costs nothing, and readers need no lock.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from recsys.ids import Mask, Rows, Vectors
from recsys.index.rows import ALIVE, RowSet

Numbers = npt.NDArray[np.int64]
_LEAST = 256
"""Least number of entries for which there is room."""
_NO_LEAVES = np.empty(0, np.int32)


@dataclass(frozen=True, eq=False)
class DeltaGroups:
    """Groups of near entries, each within one leaf of the base.

    Attributes:
        leaves: Leaf of each group, int32 ``[groups]``.
        centres: Mean of each group's vectors, float32 ``[groups, d]``.
        spread: Standard deviation of their products with a unit vector, as a root mean square over
            the directions, float32 ``[groups]``.
        starts: First entry of each group and the end of the last one, int64 ``[groups + 1]``.
    """

    leaves: Rows
    centres: Vectors
    spread: Vectors
    starts: Numbers

    @classmethod
    def empty(cls, leaves: Rows, dimension: int) -> DeltaGroups:
        """Groups without an entry, of the given leaves."""
        groups = len(leaves)
        centres = np.zeros((groups, dimension), np.float32)
        return cls(leaves, centres, np.zeros(groups, np.float32), np.zeros(groups + 1, np.int64))

    @property
    def grouped(self) -> int:
        """Number of entries that are in a group."""
        return int(self.starts[-1])

    @property
    def leaf_of_entry(self) -> Rows:
        """Leaf of each grouped entry, int32 ``[grouped]``."""
        return np.repeat(self.leaves, np.diff(self.starts))


@dataclass(frozen=True, eq=False)
class Delta:
    """Entries, each the vector of a row from one version on.

    The first entries are in groups; the others, the tail, are in the order of writing. A reader
    reads only entries below the length that it holds, and of ``older``, ``newest`` and ``died``
    only values that its version includes.

    Attributes:
        rows: Row of each entry, int32 ``[capacity]``.
        vectors: Vector of each entry, float32 ``[capacity, d]``.
        born: Version that wrote the entry, int64 ``[capacity]``.
        died: Version from which the entry is replaced or deleted, int64 ``[capacity]``; ``ALIVE``
            while it is valid.
        older: Entry before this one of the same row, int32 ``[capacity]``; -1 without one.
        newest: Last entry of each row, int32 ``[at least the number of rows]``; -1 without one.
        groups: Groups of the first entries.
        sets: Grouped entries of the row sets that searches came with, and their starts by group.

    Example:
        >>> delta = Delta.empty(rows=5, dimension=2)
        >>> end = delta.append(0, np.array([3]), np.ones((1, 2), np.float32), version=1)
        >>> delta.entries(np.array([3, 4]), end).tolist()
        [0, -1]
    """

    rows: Rows
    vectors: Vectors
    born: Numbers
    died: Numbers
    older: Rows
    newest: Rows
    groups: DeltaGroups
    sets: WeakKeyDictionary[RowSet, tuple[Numbers, Rows]] = field(default_factory=WeakKeyDictionary)

    @classmethod
    def empty(
        cls, *, rows: int, dimension: int, leaves: Rows = _NO_LEAVES, capacity: int = _LEAST
    ) -> Delta:
        """A delta without entries, for ``rows`` rows and with a group for each of ``leaves``."""
        return cls(
            np.zeros(capacity, np.int32),
            np.zeros((capacity, dimension), np.float32),
            np.zeros(capacity, np.int64),
            np.full(capacity, ALIVE, np.int64),
            np.full(capacity, -1, np.int32),
            np.full(rows, -1, np.int32),
            DeltaGroups.empty(leaves, dimension),
        )

    def eligible(self, allowed: RowSet | None) -> tuple[Numbers, Rows]:
        """First position of each group, and the grouped entries whose rows are allowed.

        Without ``allowed`` there are no entries listed, and the positions are the entries.
        """
        starts = self.groups.starts
        if allowed is None:
            return starts, np.empty(0, np.int32)
        found = self.sets.get(allowed)
        if found is None:
            listed = allowed.mask[self.rows[: self.groups.grouped]]
            entries = np.flatnonzero(listed).astype(np.int32)
            found = self.sets[allowed] = np.searchsorted(entries, starts), entries
        return found

    def entries(self, rows: Rows, length: int) -> Rows:
        """The last of the first ``length`` entries of each row, int32; -1 without one."""
        found = np.full(len(rows), -1, np.int32)
        inside = np.flatnonzero(rows < len(self.newest))
        found[inside] = self.newest[rows[inside]]
        while len(late := np.flatnonzero(found >= length)):
            found[late] = self.older[found[late]]
        return found

    def with_room(self, entries: int, rows: int) -> Delta:
        """This delta, or a copy in larger arrays, for that number of entries and rows in all."""
        if entries <= len(self.rows) and rows <= len(self.newest):
            return self
        room = len(self.newest)
        if rows > room:
            room = max(rows, room + room // 8)
        # Always copied: its new values would not be entries of the shorter arrays.
        newest = _extended(self.newest, room, -1)
        if entries <= len(self.rows):
            return dataclasses.replace(self, newest=newest)
        capacity = max(entries, 2 * len(self.rows))
        return Delta(
            _extended(self.rows, capacity, 0),
            _extended(self.vectors, capacity, None),
            _extended(self.born, capacity, 0),
            _extended(self.died, capacity, ALIVE),
            _extended(self.older, capacity, -1),
            newest,
            self.groups,
            self.sets,
        )

    def append(self, length: int, rows: Rows, vectors: Vectors, version: int) -> int:
        """Write entries after the first ``length``; return the length with them.

        There must be room, and no row may be there twice.
        """
        new = slice(length, length + len(rows))
        self.rows[new], self.vectors[new] = rows, vectors
        self.born[new], self.died[new] = version, ALIVE
        self.older[new] = self.newest[rows]
        self.newest[rows] = np.arange(new.start, new.stop, dtype=np.int32)
        return new.stop

    def take_back(self, length: int, rows: Rows) -> None:
        """Undo an :meth:`append` of ``rows`` after the first ``length`` entries."""
        late = rows[self.newest[rows] >= length]
        self.newest[late] = self.older[self.newest[late]]

    def valid(self, length: int, version: int) -> Mask:
        """Which of the first ``length`` entries hold at ``version``, bool."""
        valid: Mask = self.died[:length] > version
        return valid


def _extended(array: npt.NDArray[Any], capacity: int, fill: int | None) -> npt.NDArray[Any]:
    larger = np.empty((capacity, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    if fill is not None:
        larger[len(array) :] = fill
    return larger
