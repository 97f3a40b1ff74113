"""The columns of a catalogue that filters read, and compilation of filters to sets of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import reduce
from operator import and_
from threading import Lock
from typing import Any

import numpy as np
from pyroaring import BitMap, FrozenBitMap

from recsys.catalogue import Catalogue, FilterType
from recsys.ids import Rows
from recsys.index.rows import RowSet
from recsys.retrieval.filters.column_values import CodedValues
from recsys.retrieval.filters.columns import (
    CodedColumn,
    Codes,
    FilterColumn,
    NumberColumn,
    TextsColumn,
    build_column,
)
from recsys.retrieval.filters.row_set_cache import CACHE_BYTES, RowSetCache
from recsys.retrieval.filters.schema import FilterSchema
from recsys_client.filters import And, Contains, Eq, Exists, Filter, In, Not, Or, Range, Value

_EXAMPLES = 3


@dataclass(frozen=True)
class ColumnDescription:
    """A column that filters may read.

    Attributes:
        name: Name of the column.
        type: Type of its values.
        examples: Its most frequent values, or the smallest and the largest number or time.
        missing: Number of items without a value.
    """

    name: str
    type: FilterType
    examples: tuple[Value, ...]
    missing: int


class FilterColumns:
    """The columns of a catalogue that filters may read.

    A column is built when a filter first reads it. Equal filters get the same object, so that an
    index can keep what it derives from it. All methods are safe to call from several threads.

    Attributes:
        schema: Types of the columns.
        size: Number of items.

    Example:
        >>> import pyarrow as pa
        >>> from recsys.catalogue import CatalogueFields
        >>> table = pa.table({"item_id": ["a", "b", "c"], "price": [5.0, 20.0, None]})
        >>> columns = FilterColumns.of(Catalogue.of(table, CatalogueFields(numbers=("price",))))
        >>> columns.rows(Range("price", lt=20)).rows.tolist()
        [0]
        >>> columns.rows(~Range("price", lt=20)).rows.tolist()
        [1, 2]
    """

    def __init__(
        self,
        schema: FilterSchema,
        size: int,
        build: Callable[[str], FilterColumn],
        *,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        """Columns that ``build`` builds by their names."""
        self.schema = schema
        self.size = size
        self._build = build
        self._built: dict[str, FilterColumn] = {}
        self._values: dict[str, CodedValues] = {}
        self._building = Lock()
        self._cache = RowSetCache(cache_bytes)

    @classmethod
    def of(cls, catalogue: Catalogue, schema: FilterSchema | None = None) -> FilterColumns:
        """The columns of a catalogue, with the types of ``schema`` or, without one, its own.

        Items that are added to a catalogue later keep the types of the first ones.
        """
        types = FilterSchema.of(catalogue) if schema is None else schema

        def build(name: str) -> FilterColumn:
            values = catalogue.table[name]
            return build_column(values, name, types.types[name], catalogue.fields.separator)

        return cls(types, len(catalogue), build)

    def rows(self, filter: Filter, *, path: str = "filter") -> RowSet:
        """Rows for which a filter is true; the same object for equal filters.

        Raises:
            InvalidRequestError: The filter does not fit the columns, see
                :meth:`FilterSchema.resolve`; ``field`` begins with ``path``.
        """
        found = self._cache.get(filter.key)
        if found is not None:
            return found
        resolved = self.schema.resolve(filter, path).canonical()
        same = self._cache.get(resolved.key)
        if same is None:
            rows = RowSet(FrozenBitMap(self._rows(resolved)), self.size)
            same = self._cache.add(resolved.key, rows)
        return self._cache.add(filter.key, same)

    def entries(self, column: str, *, path: str = "column") -> tuple[Rows, Codes]:
        """Rows and codes of the values in a column, one pair per value of an item, int32.

        Equal values have equal codes; a row without a value is left out.

        Raises:
            InvalidRequestError: Filters cannot read the column.
        """
        self.schema.type_of(column, path)
        found = self._column(column)
        if isinstance(found, TextsColumn):
            groups = found.groups
            codes = np.repeat(np.arange(len(found.values), dtype=np.int32), np.diff(groups.starts))
            return groups.rows, codes
        rows = np.flatnonzero(found.codes >= 0).astype(np.int32)
        return rows, found.codes[rows]

    def values(self, column: str, *, path: str = "column") -> CodedValues:
        """Values of a column as codes, built once; see :meth:`entries`."""
        if column not in self._values:
            rows, codes = self.entries(column, path=path)
            self._values.setdefault(column, CodedValues.of(rows, codes, items=self.size))
        return self._values[column]

    @property
    def built(self) -> tuple[str, ...]:
        """Names of the columns that were read."""
        return tuple(self._built)

    def build(self, columns: Iterable[str]) -> None:
        """Build columns before they are read."""
        for column in columns:
            self._column(column)

    def coded_values(self, column: str) -> Sequence[Value]:
        """The value of each code of a column that filters read."""
        return self._column(column).values

    def describe(self) -> tuple[ColumnDescription, ...]:
        """All columns with examples; builds each of them."""
        described = []
        for name, kind in self.schema.types.items():
            column = self._column(name)
            examples = column.examples(_EXAMPLES)
            if kind == "time":
                examples = tuple(map(_time_text, examples))
            missing = self.size - len(column.present)
            described.append(ColumnDescription(name, kind, examples, missing))
        return tuple(described)

    def _column(self, name: str) -> FilterColumn:
        if name not in self._built:
            with self._building:
                if name not in self._built:
                    self._built[name] = self._build(name)
        return self._built[name]

    def _rows(self, filter: Filter) -> BitMap:
        """Rows for which a resolved filter is true."""
        if isinstance(filter, And):
            return self._all_of(filter)
        if isinstance(filter, Or):
            return BitMap.union(*map(self._rows, filter.parts))
        if isinstance(filter, Not):
            return BitMap(range(self.size)) - self._rows(filter.part)
        assert isinstance(filter, Eq | In | Range | Exists | Contains)
        return self._compared(filter, self._column(filter.column))

    def _all_of(self, filter: And) -> BitMap:
        """Rows for which all parts are true; negated parts are subtracted."""
        included = [self._rows(part) for part in filter.parts if not isinstance(part, Not)]
        rows = reduce(and_, sorted(included, key=len)) if included else BitMap(range(self.size))
        for part in filter.parts:
            if isinstance(part, Not):
                rows = rows - self._rows(part.part)
        return rows

    def _compared(
        self, filter: Eq | In | Range | Exists | Contains, column: FilterColumn
    ) -> BitMap:
        if isinstance(filter, Exists):
            return column.present
        if isinstance(filter, Contains):
            assert isinstance(column, TextsColumn) and isinstance(filter.value, str)
            return column.containing(filter.value)
        if isinstance(filter, Range):
            assert isinstance(column, NumberColumn)
            bounds: dict[str, Any] = filter.bounds
            return column.within(**bounds)
        assert isinstance(column, CodedColumn | NumberColumn)
        values: Any = filter.values if isinstance(filter, In) else (filter.value,)
        return column.among(values)


def _time_text(seconds: Any) -> str:
    moment = datetime.fromtimestamp(0, timezone.utc) + timedelta(seconds=seconds)
    return moment.replace(tzinfo=None).isoformat() + "Z"
