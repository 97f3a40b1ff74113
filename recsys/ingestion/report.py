"""The report of an ingestion: rows that were kept and dropped, with the reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import TypeAdapter

EXAMPLES = 5
"""Number of rows of each group that are shown."""


@dataclass(frozen=True)
class Group:
    """Rows with a common reason.

    Attributes:
        reason: Reason for which they are reported.
        count: Number of rows.
        rows: Numbers of the first few, from 1 in the order of the table.
        values: Value in each of ``rows``.
    """

    reason: str
    count: int
    rows: tuple[int, ...]
    values: tuple[str, ...]


@dataclass(frozen=True)
class TableReport:
    """Rows of one table: ``read`` is the sum of ``kept`` and every ``dropped``."""

    read: int
    kept: int
    dropped: tuple[Group, ...] = ()


@dataclass(frozen=True)
class IngestReport:
    """The rows of all tables, kept or dropped.

    Attributes:
        interactions: Rows of the interactions table.
        items: Rows of the items table; None without one, where the catalogue holds the items of
            the kept interactions.
        searches: Rows of the searches table, or None. Kept ones are ``joined`` or added as
            interactions.
        joined: Number of searches that gave an interaction its terms.
        clock: Order of the interactions.
        users: Number of users with a kept interaction.
        users_left_out: Number of users without a kept interaction.
        catalogue: Number of items in the catalogue.
        items_without_interactions: Number of items of the catalogue without interactions.
        pictures: Items whose picture is "not named" or "not in the store".

    Example:
        >>> read = TableReport(2, 1, (Group("missing item_id", 1, (2,), ("nothing",)),))
        >>> report = IngestReport(interactions=read, clock="timestamp", users=1, catalogue=1)
        >>> print("\\n".join(report.lines()))
        interactions: 2 read, 1 kept
          1 left out: missing item_id (row 2: nothing)
        1 users; 1 items, 0 of them without interactions; ordered by timestamp
    """

    interactions: TableReport
    clock: Literal["timestamp", "position"]
    users: int
    catalogue: int
    items: TableReport | None = None
    searches: TableReport | None = None
    joined: int = 0
    users_left_out: int = 0
    items_without_interactions: int = 0
    pictures: tuple[Group, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, made: Mapping[str, Any]) -> IngestReport:
        """The inverse of :meth:`to_dict`."""
        report: IngestReport = TypeAdapter(cls).validate_python(made)
        return report

    def lines(self) -> list[str]:
        """The report as lines of text."""
        lines: list[str] = []
        tables = ("interactions", self.interactions), ("items", self.items)
        for name, table in (*tables, ("searches", self.searches)):
            if table is not None:
                lines.append(f"{name}: {table.read:,} read, {table.kept:,} kept")
                lines += [f"  {_line(group, 'left out')}" for group in table.dropped]
        if self.searches is not None:
            lines.append(f"  {self.joined:,} searches gave an interaction its terms")
        if self.users_left_out:
            lines.append(f"{self.users_left_out:,} users have no interaction left")
        lines += [_line(group, "pictures") for group in self.pictures]
        return [
            *lines,
            f"{self.users:,} users; {self.catalogue:,} items, "
            f"{self.items_without_interactions:,} of them without interactions; ordered by "
            f"{self.clock}",
        ]


def _line(group: Group, kind: str) -> str:
    pairs = [f"row {row}: {value}" for row, value in zip(group.rows, group.values)]
    more = ", ..." if group.count > len(pairs) else ""
    return f"{group.count:,} {kind}: {group.reason} ({', '.join(pairs)}{more})"
