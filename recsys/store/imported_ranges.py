"""Sequence numbers of the changes that one import wrote."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import sqlalchemy as sa

from recsys.store.databases.schema import IMPORTS


@dataclass(frozen=True)
class ImportedRanges:
    """Disjoint ranges of sequence numbers.

    Attributes:
        firsts: First number of each range, ascending.
        lasts: Last number of each range.

    Example:
        >>> ranges = ImportedRanges((3, 9), (5, 9))
        >>> [number for number in range(1, 11) if number in ranges], ranges.skip(2), ranges.skip(6)
        ([3, 4, 5, 9], 5, 6)
    """

    firsts: tuple[int, ...]
    lasts: tuple[int, ...]

    @classmethod
    def of(cls, connection: sa.Connection, fingerprint: str) -> ImportedRanges:
        """The ranges of an import; none for the fingerprint ""."""
        if not fingerprint:
            return cls((), ())
        query = sa.select(IMPORTS.c.first, IMPORTS.c.last).order_by(IMPORTS.c.first)
        ranges: list[list[int]] = []
        for first, last in connection.execute(query.where(IMPORTS.c.fingerprint == fingerprint)):
            if ranges and ranges[-1][1] == first - 1:
                ranges[-1][1] = last
            elif first <= last:
                ranges.append([first, last])
        return cls(tuple(first for first, _ in ranges), tuple(last for _, last in ranges))

    def __contains__(self, number: int) -> bool:
        position = bisect_right(self.firsts, number) - 1
        return position >= 0 and number <= self.lasts[position]

    def skip(self, after: int) -> int:
        """The last number of the range that begins next to ``after``, else ``after``."""
        if after + 1 not in self:
            return after
        return self.lasts[bisect_right(self.firsts, after + 1) - 1]
