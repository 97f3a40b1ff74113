"""Columns for filters and crowding over a bundle's catalogue and the items upserted since.

Upserted items are in segments, each with columns of its own; an item is read from the newest
segment that holds it. Segments of similar size are merged, so that there are few of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from pyroaring import BitMap, FrozenBitMap

from recsys.ids import Rows
from recsys.index import RowSet
from recsys.index.rows import GrownRowSet, bitmap_of_rows
from recsys.live.contents import ItemTable
from recsys.live.values import LiveValues, ValueCodes, ValuesPart
from recsys.retrieval.filters import ColumnDescription, ColumnValues, FilterColumns
from recsys.retrieval.filters.columns import FilterColumn, build_column
from recsys.retrieval.filters.row_set_cache import RowSetCache
from recsys.retrieval.filters.schema import FilterSchema
from recsys.store import ItemUpserted
from recsys_client.filters import Filter

_RATIO = 4
"""A segment is merged with the one before it unless that is this many times as large."""


@dataclass(frozen=True, eq=False)
class Segment:
    """Upserted items with their columns.

    Attributes:
        table: Conversion of items to rows.
        rows: Row of each item, int32 ``[n]``, ascending, each once.
        items: The items.
    """

    table: ItemTable
    rows: Rows
    items: Sequence[ItemUpserted]

    @classmethod
    def of(cls, table: ItemTable, rows: Sequence[int], items: Sequence[ItemUpserted]) -> Segment:
        """A segment of items in any order."""
        order = np.argsort(np.array(rows, np.int32))
        return cls(table, np.array(rows, np.int32)[order], [items[each] for each in order])

    def merged(self, newer: Segment) -> Segment:
        """Both segments as one; an item that is in both is that of ``newer``.

        Columns that requests have read are built here, so that no request waits for them.
        """
        items = dict(zip(self.rows.tolist(), self.items))
        items.update(zip(newer.rows.tolist(), newer.items))
        merged = Segment.of(self.table, list(items), list(items.values()))
        merged.columns.build(self.columns.built)
        return merged

    def values(self, column: str, codes: ValueCodes) -> ValuesPart:
        """The values of a column as codes, built once."""
        if column not in self._values:
            known = codes.of(self.columns.coded_values(column))
            part = ValuesPart(self.rows, self.columns.values(column), known)
            self._values.setdefault(column, part)
        return self._values[column]

    @cached_property
    def _values(self) -> dict[str, ValuesPart]:
        return {}

    @cached_property
    def bitmap(self) -> FrozenBitMap:
        """The rows."""
        return FrozenBitMap(bitmap_of_rows(self.rows))

    @cached_property
    def columns(self) -> FilterColumns:
        """The columns, over the positions of the items."""
        catalogue = self.table.catalogue
        schema = self.table.schema

        def build(name: str) -> FilterColumn:
            values = self.table.column(self.items, name)
            return build_column(values, name, schema.types[name], catalogue.fields.separator)

        return FilterColumns(schema, len(self.rows), build)

    def matching(self, filter: Filter, path: str) -> BitMap:
        """The rows for which a filter is true."""
        found = self.columns.rows(filter, path=path).rows
        return bitmap_of_rows(self.rows[found])


def with_items(segments: Sequence[Segment], newer: Segment) -> tuple[Segment, ...]:
    """The segments with one more; those of similar size are merged."""
    merged = [*segments, newer]
    while len(merged) > 1 and len(merged[-2].rows) < _RATIO * len(merged[-1].rows):
        last = merged.pop()
        merged[-1] = merged[-1].merged(last)
    return tuple(merged)


@dataclass(frozen=True, eq=False)
class LiveColumns:
    """The columns at one moment.

    Attributes:
        base: Columns of the bundle's catalogue.
        segments: Items upserted since, the newest last.
        size: Number of rows.
        absent: Rows without an item.
        codes: Codes of values by column, shared by all snapshots.
        first: Values of the bundle's items by column, shared by all snapshots.
    """

    base: FilterColumns
    segments: tuple[Segment, ...]
    size: int
    absent: FrozenBitMap
    codes: dict[str, ValueCodes]
    first: dict[str, ValuesPart] = field(default_factory=dict)
    _cache: RowSetCache = field(default_factory=RowSetCache)
    _values: dict[str, ColumnValues] = field(default_factory=dict)

    @property
    def schema(self) -> FilterSchema:
        """Types of the columns, which are those of the bundle."""
        return self.base.schema

    def after(self, segments: tuple[Segment, ...], size: int, absent: FrozenBitMap) -> LiveColumns:
        """The columns at a later moment."""
        return LiveColumns(self.base, segments, size, absent, self.codes, self.first)

    def rows(self, filter: Filter, *, path: str = "filter") -> RowSet:
        """Rows for which a filter is true; the same object for equal filters.

        Raises:
            InvalidRequestError: The filter does not fit the columns; ``field`` begins with
                ``path``.
        """
        found = self._cache.get(filter.key)
        if found is None:
            found = self._cache.add(filter.key, self._rows(filter, path))
        return found

    def values(self, column: str, *, path: str = "column") -> ColumnValues:
        """Values of a column as codes.

        Raises:
            InvalidRequestError: Filters cannot read the column.
        """
        base = self.base.values(column, path=path)
        if not self.segments:
            return base
        if column not in self._values:
            codes = self.codes.setdefault(column, ValueCodes())
            if column not in self.first:
                rows = np.arange(self.base.size, dtype=np.int32)
                known = codes.of(self.base.coded_values(column))
                self.first.setdefault(column, ValuesPart(rows, base, known))
            parts = [self.first[column], *(each.values(column, codes) for each in self.segments)]
            self._values.setdefault(column, LiveValues(tuple(parts), self.size))
        return self._values[column]

    def describe(self) -> tuple[ColumnDescription, ...]:
        """All columns with examples of the bundle's catalogue."""
        return self.base.describe()

    def _rows(self, filter: Filter, path: str) -> RowSet:
        first, found, newer = self.base.rows(filter, path=path), BitMap(), BitMap(self.absent)
        if not newer and not self.segments:
            return first
        for segment in reversed(self.segments):
            found |= segment.matching(filter, path) - newer
            newer |= segment.bitmap
        rows = FrozenBitMap(found | (first.bitmap - newer))
        return GrownRowSet(rows, self.size, first)
