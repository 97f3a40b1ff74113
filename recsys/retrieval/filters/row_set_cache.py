"""A cache of the sets of rows of filters."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from recsys.index.rows import RowSet

CACHE_BYTES = 256 * 2**20
"""Default limit of the memory of the cached sets of rows of a snapshot."""


@dataclass(eq=False)
class RowSetCache:
    """The sets of rows of recent filters, up to a number of bytes.

    Example:
        >>> cache = RowSetCache(max_bytes=1_000)
        >>> first = cache.add("a", RowSet.all(3))
        >>> cache.add("a", RowSet.all(3)) is cache.get("a") is first
        True
    """

    max_bytes: int = CACHE_BYTES
    _sets: OrderedDict[str, RowSet] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _lock: Lock = field(default_factory=Lock)

    def get(self, key: str) -> RowSet | None:
        """The set of a filter, or None."""
        with self._lock:
            found = self._sets.get(key)
            if found is not None:
                self._sets.move_to_end(key)
            return found

    def add(self, key: str, rows: RowSet) -> RowSet:
        """The set of a filter from now on: the one that another thread added first, or ``rows``."""
        with self._lock:
            if key in self._sets:
                return self._sets[key]
            self._sets[key] = rows
            self._bytes += _bytes_of(key, rows)
            while self._bytes > self.max_bytes and len(self._sets) > 1:
                self._bytes -= _bytes_of(*self._sets.popitem(last=False))
            return rows


def _bytes_of(key: str, rows: RowSet) -> int:
    """Estimated memory with the mask and the array of rows that an index derives from a set."""
    return len(key) + rows.size + 6 * len(rows) + 500
