"""The items at one moment: those of a bundle, and those upserted or deleted since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from pyroaring import BitMap

from recsys.ids import Rows
from recsys.live.contents import ItemTable
from recsys.live.ids import LiveIds
from recsys.store import ItemUpserted


class ItemVersions:
    """Contents of upserted items in the order of the store, linked per row; it only grows.

    A writer appends; a reader holds a length, below which nothing changes. From time to time the
    writer continues with a copy, :meth:`without_replaced` contents.

    Example:
        >>> versions = ItemVersions()
        >>> versions.append(3, ItemUpserted("lamp", "Old lamp"))
        >>> versions.append(3, ItemUpserted("lamp", "New lamp"))
        >>> versions.find(3, 1).title, versions.find(3, 2).title, versions.find(4, 2)
        ('Old lamp', 'New lamp', None)
    """

    def __init__(self) -> None:
        self._items: list[ItemUpserted] = []
        self._hashes: list[int | None] = []
        self._older: list[int] = []
        self._newest: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._items)

    def append(self, row: int, item: ItemUpserted, picture_hash: int | None = None) -> None:
        """Add the content of a row and the hash of its picture; only one thread may write."""
        self._items.append(item)
        self._hashes.append(picture_hash)
        self._older.append(self._newest.get(row, -1))
        self._newest[row] = len(self._items) - 1  # The last, as readers begin here.

    @property
    def replaced(self) -> int:
        """Number of contents that are not the newest of their row."""
        return len(self._items) - len(self._newest)

    def without_replaced(self) -> ItemVersions:
        """A copy with the newest content of each row."""
        copy = ItemVersions()
        for row, at in self._newest.items():
            copy.append(row, self._items[at], self._hashes[at])
        return copy

    def find(self, row: int, length: int) -> ItemUpserted | None:
        """The content of a row after the first ``length`` upserts; None if it has none."""
        at = self._position(row, length)
        return self._items[at] if at >= 0 else None

    def picture_hashes(self, rows: Iterable[int], length: int) -> dict[int, int | None]:
        """The hash of the picture of those of some rows that have a content, None without one."""
        found = {row: self._position(row, length) for row in rows if row in self._newest}
        return {row: self._hashes[at] for row, at in found.items() if at >= 0}

    def _position(self, row: int, length: int) -> int:
        at = self._newest.get(row, -1)
        while at >= length:
            at = self._older[at]
        return at


@dataclass(frozen=True, eq=False)
class LiveCatalogue:
    """The items of a snapshot.

    Attributes:
        ids: Ids and rows.
        table: Table of the bundle's items.
        versions: Contents of upserted items, shared by all snapshots.
        length: Number of these contents that this moment includes.
    """

    ids: LiveIds
    table: ItemTable
    versions: ItemVersions
    length: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def rows(self) -> Rows:
        """Rows of all items, int32, ascending."""
        ids = self.ids
        return np.array((BitMap(range(ids.size)) - ids.absent).to_array(), np.int32)

    def titles_at(self, rows: Rows) -> list[str | None]:
        """Title of each of ``rows``, or None where it has none."""
        base = self.table.catalogue
        if not self.length:
            return base.titles_at(rows)
        newer = {at: item for at, row in enumerate(rows.tolist()) if (item := self._newer(row))}
        older = rows.copy()
        older[list(newer)] = 0  # any row of the bundle
        titles = base.titles_at(older)
        for at, item in newer.items():
            titles[at] = item.title.strip() or None
        return titles

    def item(self, item_id: str) -> ItemUpserted | None:
        """The content of an item, or None where it is unknown or deleted.

        It is without its picture and ready vectors.
        """
        row = self.ids.find(item_id)
        return None if row is None else self.item_at(row)

    def item_at(self, row: int) -> ItemUpserted:
        """The content of the item of a row."""
        return self._newer(row) or self.table.item(row)

    def upserted(self, row: int) -> ItemUpserted | None:
        """The content of an item that was upserted since the bundle; None for others."""
        return self._newer(row)

    def picture_hashes(self, rows: Rows) -> dict[int, int | None]:
        """Hash of the picture of those of some rows that were upserted; None without a picture."""
        return self.versions.picture_hashes(rows.tolist(), self.length) if self.length else {}

    def _newer(self, row: int) -> ItemUpserted | None:
        return self.versions.find(row, self.length)
