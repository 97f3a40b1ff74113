"""The report of an ingestion: rows kept and dropped, and values read as missing, with reasons."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import TypeAdapter

EXAMPLES = 3
"""Number of rows of each group that are shown."""
MAX_LENGTH = 80
"""Number of characters of a value that are shown."""


@dataclass(frozen=True)
class Group:
    """Rows with a common reason.

    Attributes:
        reason: Reason for which they are reported.
        count: Number of rows.
        rows: Numbers of the first few, from 1 in the order of the table; empty without numbers.
        values: Values of the first few, at most 80 characters each.
        column: Column of the values, or "" where the reason concerns the whole row.

    Example:
        >>> print(Group("not a finite number", 1, (4,), ("1,299.00",), "price"))
        1: price: not a finite number (row 4: 1,299.00)
    """

    reason: str
    count: int
    rows: tuple[int, ...]
    values: tuple[str, ...]
    column: str = ""

    def __str__(self) -> str:
        examples = [f"row {row}: {value}" for row, value in zip(self.rows, self.values)]
        shown = ", ".join(examples or self.values)
        more = ", ..." if self.count > len(self.values) else ""
        column = f"{self.column}: " if self.column else ""
        return f"{self.count:,}: {column}{self.reason} ({shown}{more})"


@dataclass(frozen=True)
class TableReport:
    """Rows of one table: ``read`` is the sum of ``kept`` and every ``dropped``.

    Attributes:
        read: Number of rows of the table.
        kept: Number of rows that are used.
        dropped: Rows that are left out, by reason.
        missing: Values that are read as missing in rows that are used, by reason and column.
    """

    read: int
    kept: int
    dropped: tuple[Group, ...] = ()
    missing: tuple[Group, ...] = ()


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
        pictures: Items without a picture, by reason: "not named", "not in the store", or a name
            that cannot be that of a file. Rows are those of the items table.
        detected: Properties of the files that were detected, such as a separator.

    Example:
        >>> read = TableReport(2, 1, (Group("missing item_id", 1, (2,), ("nothing",)),))
        >>> report = IngestReport(interactions=read, clock="timestamp", users=1, catalogue=1)
        >>> print("\\n".join(report.lines()))
        interactions: 2 read, 1 kept
          left out, 1: missing item_id (row 2: nothing)
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
    detected: tuple[str, ...] = ()

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
        lines = [f"detected: {line}" for line in self.detected]
        tables = ("interactions", self.interactions), ("items", self.items)
        for name, table in (*tables, ("searches", self.searches)):
            if table is not None:
                lines.append(f"{name}: {table.read:,} read, {table.kept:,} kept")
                lines += [f"  left out, {group}" for group in table.dropped]
                lines += [f"  read as missing, {group}" for group in table.missing]
        if self.searches is not None:
            lines.append(f"  {self.joined:,} searches gave an interaction its terms")
        if self.users_left_out:
            lines.append(f"{self.users_left_out:,} users have no interaction left")
        lines += [f"items without a picture, {group}" for group in self.pictures]
        return [
            *lines,
            f"{self.users:,} users; {self.catalogue:,} items, "
            f"{self.items_without_interactions:,} of them without interactions; ordered by "
            f"{self.clock}",
        ]


def group_by_reason(
    faults: Iterable[tuple[str, int | None, str]], *, column: str = ""
) -> tuple[Group, ...]:
    """Groups of faults, each a reason, the number of a row or None, and a value.

    Reasons that differ only in numbers and quoted names are one.

    Example:
        >>> lost = [("3 bytes are lost", 1, "a.png"), ("81 bytes are lost", 2, "b.png")]
        >>> print(*group_by_reason(lost))
        2: ... bytes are lost (row 1: a.png, row 2: b.png)
    """
    by_kind: dict[str, list[tuple[str, int | None, str]]] = {}
    for reason, row, value in faults:
        flat = " ".join(reason.split())
        by_kind.setdefault(_VARYING.sub("...", flat), []).append((flat, row, value))
    return tuple(
        Group(
            kind if len({reason for reason, _, _ in found}) > 1 else found[0][0],
            len(found),
            tuple(row for _, row, _ in found[:EXAMPLES] if row is not None),
            tuple(short_text(value) for _, _, value in found[:EXAMPLES]),
            column,
        )
        for kind, found in by_kind.items()
    )


def short_text(value: object) -> str:
    """A value as text on one line, its first 80 characters; "nothing" for a missing one."""
    if value is None or value != value:
        return "nothing"
    text = " ".join(str(value).split()) or repr(value)
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 3]}..."


_VARYING = re.compile(r"'[^']*'|\d[\d,.]*")
