"""Ids of items: those of a bundle, and those added since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pyroaring import FrozenBitMap

from recsys.errors import UnknownIdError
from recsys.ids import IdMap, Rows


class AddedIds:
    """Ids newer than a bundle, each with the next row; they only grow.

    Attributes:
        base: Ids of the bundle.
        ids: Added ids in row order.
        rows: Row per added id.
    """

    def __init__(self, base: IdMap) -> None:
        self.base = base
        self.ids: list[str] = []
        self.rows: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.base) + len(self.ids)

    def find(self, value: str) -> int | None:
        """The row of an id, or None."""
        row = self.rows.get(value)
        if row is None and value in self.base:
            row = self.base.row(value)
        return row

    def row_for(self, value: str) -> int:
        """The row of an id, which is added where it is new; only one thread may write."""
        row = self.find(value)
        if row is None:
            row = len(self)
            self.ids.append(value)
            self.rows[value] = row
        return row


@dataclass(frozen=True, eq=False)
class LiveIds:
    """Ids of the items at one moment.

    Attributes:
        added: All ids, shared by all snapshots.
        size: Number of rows.
        absent: Rows without an item.
        count: Number of items.
        kind: Kind of thing that the ids name, for messages.

    Example:
        >>> added = AddedIds(IdMap.of("item", ["lamp", "rug"]))
        >>> row = added.row_for("desk")
        >>> ids = LiveIds(added, size=3, absent=FrozenBitMap([0]), count=2)
        >>> ids.row("desk"), "lamp" in ids, ids.rows(["rug", "lamp"], unknown="skip").tolist()
        (2, False, [1])
    """

    added: AddedIds
    size: int
    absent: FrozenBitMap
    count: int
    kind: str = "item"

    def __len__(self) -> int:
        return self.count

    def find(self, value: str) -> int | None:
        """The row of an item, or None where it is unknown or deleted."""
        row = self.added.find(value)
        return None if row is None or row >= self.size or row in self.absent else row

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str) and self.find(value) is not None

    def row(self, value: str) -> int:
        """The row of one id.

        Raises:
            UnknownIdError: It is not that of an item.
        """
        row = self.find(value)
        if row is None:
            raise self._unknown(value)
        return row

    def rows(self, values: Sequence[str], *, unknown: Literal["raise", "skip"] = "raise") -> Rows:
        """The rows of many ids, int32 ``[n]``; with ``unknown="skip"`` unknown ids are left out.

        Raises:
            UnknownIdError: An id is unknown and ``unknown="raise"``.
        """
        rows, newer = self.added.base.lookup(values), self.added.rows
        for position in np.flatnonzero(rows < 0).tolist():
            rows[position] = newer.get(values[position], -1)
        known = (rows >= 0) & (rows < self.size)
        if self.absent:
            known[known] = [row not in self.absent for row in rows[known].tolist()]
        if unknown == "raise" and not known.all():
            raise self._unknown(values[int(np.argmin(known))])
        return rows[known].astype(np.int32)

    def id(self, row: int) -> str:
        """The id of one row."""
        base = self.added.base
        return base.id(row) if row < len(base) else self.added.ids[row - len(base)]

    def ids(self, rows: Rows) -> list[str]:
        """The ids of many rows, in their order."""
        base = self.added.base
        if not len(rows) or int(rows.max()) < len(base):
            return base.ids(rows)
        return [self.id(row) for row in rows.tolist()]

    def _unknown(self, value: str) -> UnknownIdError:
        return UnknownIdError(
            f"unknown {self.kind} id {value!r:.80}: not among the {len(self):,} known",
            field=f"{self.kind}_id",
        )
