"""Columns that filters may read, and the check of a filter against their types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys.catalogue import Catalogue, FilterType
from recsys.errors import InvalidRequestError, suggestion
from recsys.tables import is_text
from recsys_client.filters import And, Contains, Eq, Exists, Filter, In, Not, Or, Range, Value

_NOUNS: Mapping[FilterType, str] = {
    "text": "one text per item",
    "texts": "one or more texts per item",
    "number": "numbers",
    "boolean": "true or false",
    "time": "times",
}
_EXAMPLES: Mapping[FilterType, str] = {
    "text": 'a text such as "acme"',
    "texts": 'a text such as "acme"',
    "number": "a number such as 20",
    "boolean": "true or false",
    "time": 'a time such as "2024-05-01T12:00:00Z", or seconds since 1970',
}


@dataclass(frozen=True)
class FilterSchema:
    """Types of the columns that filters may read.

    Attributes:
        types: Type by the name of the column.
        others: Names of the other columns of the catalogue.

    Example:
        >>> schema = FilterSchema({"brand": "text", "added": "time"})
        >>> schema.resolve(Range("added", ge="2024-05-01"))
        Range(column='added', ge=1714521600)
    """

    types: Mapping[str, FilterType]
    others: tuple[str, ...] = ()

    @classmethod
    def of(cls, catalogue: Catalogue) -> FilterSchema:
        """Types of a catalogue: those of ``fields.filters``, and of its numbers and categories.

        A column of categories holds several texts per item if any of its cells has a separator.
        """
        fields, table = catalogue.fields, catalogue.table
        types: dict[str, FilterType] = dict.fromkeys(fields.numbers, "number")
        for name in fields.categories:
            types[name] = _category_type(table[name], fields.separator)
        types |= fields.filters
        return cls(types, tuple(name for name in table.column_names if name not in types))

    def resolve(self, filter: Filter, path: str = "filter") -> Filter:
        """The filter with each time as a number of seconds since 1970.

        Args:
            filter: Filter of a request.
            path: Path of the filter in the request, for the errors.

        Raises:
            InvalidRequestError: A column is unknown, a value has another type than its column, an
                operator does not apply to the type, or no value is within a range; ``field`` is the
                path, such as ``filter.and[1].eq.value``.
        """
        path = f"{path}.{filter.kind}"
        if isinstance(filter, Not):
            return Not(self.resolve(filter.part, path))
        if isinstance(filter, And | Or):
            parts = enumerate(filter.parts)
            return type(filter)([self.resolve(part, f"{path}[{at}]") for at, part in parts])
        if isinstance(filter, Exists):
            self.type_of(filter.column, f"{path}.column")
            return filter
        if isinstance(filter, Range):
            return self._resolved_range(filter, path)
        if isinstance(filter, Contains):
            return self._resolved_contains(filter, path)
        assert isinstance(filter, Eq | In)
        kind = self.type_of(filter.column, f"{path}.column")
        if kind == "texts":
            raise InvalidRequestError(
                f"{path}: {_noun(filter.column, kind)}; = and in compare one: use contains",
                field=path,
            )
        if isinstance(filter, Eq):
            value = _typed(filter.value, filter.column, kind, f"{path}.value")
            return Eq(filter.column, value)
        values = enumerate(filter.values)
        return In(
            filter.column,
            [_typed(each, filter.column, kind, f"{path}.values[{at}]") for at, each in values],
        )

    def type_of(self, column: str, path: str) -> FilterType:
        """Type of a column, whose name has the path ``path`` in the request.

        Raises:
            InvalidRequestError: Filters cannot read the column; the message has the nearest name
                and all columns.
        """
        if column in self.types:
            return self.types[column]
        known = ", ".join(f"{name} ({kind})" for name, kind in self.types.items())
        if column in self.others:
            why = f"column {column!r} is not one that filters read; name it in data.fields.filters"
        else:
            why = f"the catalogue has no column {column!r:.80}{suggestion(column, self.types)}"
        raise InvalidRequestError(
            f"{path}: {why} (columns for filters: {known or 'none'})", field=path
        )

    def _resolved_range(self, filter: Range, path: str) -> Filter:
        kind = self.type_of(filter.column, f"{path}.column")
        if kind not in ("number", "time"):
            raise InvalidRequestError(
                f"{path}: {_noun(filter.column, kind)}; only numbers and times have a range: use "
                f"{'contains' if kind == 'texts' else '= or in'}",
                field=path,
            )
        bounds: dict[str, Any] = {
            name: _typed(value, filter.column, kind, f"{path}.{name}")
            for name, value in filter.bounds.items()
        }
        low = max(bounds.get("gt", -inf), bounds.get("ge", -inf))
        high = min(bounds.get("lt", inf), bounds.get("le", inf))
        if low > high or (low == high and bounds.keys() & {"gt", "lt"}):
            written = [filter.bounds[name] for name in bounds]
            raise InvalidRequestError(
                f"{path}: no value is above {written[0]!r} and below {written[1]!r}; "
                "exchange the bounds, or include them",
                field=path,
            )
        return Range(filter.column, **bounds)

    def _resolved_contains(self, filter: Contains, path: str) -> Filter:
        kind = self.type_of(filter.column, f"{path}.column")
        if kind != "texts":
            raise InvalidRequestError(
                f"{path}: {_noun(filter.column, kind)}; contains searches in several texts per "
                "item: use =",
                field=path,
            )
        _typed(filter.value, filter.column, kind, f"{path}.value")
        return filter


def seconds_of(text: str) -> float | None:
    """Seconds since 1970 of ISO-8601 text, in UTC where it has no time zone; None for other text.

    Example:
        >>> seconds_of("2024-05-01T02:00+02:00"), seconds_of("soon")
        (1714521600.0, None)
    """
    moment = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    return float(moment.timestamp()) if isinstance(moment, pd.Timestamp) else None


def _category_type(column: pa.ChunkedArray, separator: str) -> FilterType:
    if pa.types.is_boolean(column.type):
        return "boolean"
    if not is_text(column.type):
        return "text"
    return "texts" if pc.any(pc.match_substring(column, separator)).as_py() else "text"


def _typed(value: Value, column: str, kind: FilterType, path: str) -> Value:
    """A value as the column stores it."""
    if kind in ("text", "texts") and isinstance(value, str):
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if (
        kind in ("number", "time")
        and isinstance(value, int | float)
        and not isinstance(value, bool)
    ):
        return value
    if kind == "time" and isinstance(value, str) and (found := seconds_of(value)) is not None:
        return found
    shown = f"the text {value!r:.80}" if isinstance(value, str) else str(value).lower()
    raise InvalidRequestError(
        f"{path}: {_noun(column, kind)}; got {shown}: give {_EXAMPLES[kind]}", field=path
    )


def _noun(column: str, kind: FilterType) -> str:
    return f"column {column!r} holds {_NOUNS[kind]}"
