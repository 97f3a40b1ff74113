"""Comparisons of one column of the catalogue, the leaves of a filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from recsys_client.errors import InvalidRequestError
from recsys_client.filters.tree import MAX_VALUES, Filter
from recsys_client.filters.values import Value, checked_name, checked_value, checked_values


@dataclass(frozen=True, eq=False)
class _Comparison(Filter):
    """A predicate over one column."""

    column: str

    def __post_init__(self) -> None:
        path = f"filter.{self.kind}.column"
        object.__setattr__(self, "column", checked_name(self.column, path))

    @property
    def n_values(self) -> int:
        return 1

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)


@dataclass(frozen=True, eq=False)
class Exists(_Comparison):
    """The item has a value in a column.

    Attributes:
        column: Name of the column.

    Example:
        >>> Exists("color").kind
        'exists'
    """

    kind: ClassVar[str] = "exists"


@dataclass(frozen=True, eq=False)
class Eq(_Comparison):
    """The value of a single-valued column equals a value.

    Attributes:
        column: Name of the column.
        value: A text, number, truth value or time.

    Example:
        >>> Eq("year", 1994.0)
        Eq(column='year', value=1994)
    """

    kind: ClassVar[str] = "eq"
    value: Value

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "value", checked_value(self.value, "filter.eq.value"))


@dataclass(frozen=True, eq=False)
class In(_Comparison):
    """The value of a single-valued column is among several.

    Attributes:
        column: Name of the column.
        values: At least one value.

    Example:
        >>> In("brand", ["acme", "apex"]).values
        ('acme', 'apex')
    """

    kind: ClassVar[str] = "in"
    values: Sequence[Value]

    def __post_init__(self) -> None:
        super().__post_init__()
        values = checked_values(self.values, "filter.in.values", MAX_VALUES)
        object.__setattr__(self, "values", values)

    @property
    def n_values(self) -> int:
        return len(self.values)

    def canonical(self) -> Filter:
        values = {(type(value).__name__, value): value for value in self.values}
        kept = [values[key] for key in sorted(values)]
        return In(self.column, kept) if len(kept) > 1 else Eq(self.column, kept[0])


@dataclass(frozen=True, eq=False)
class Contains(_Comparison):
    """One of the values of a multi-valued column equals a value.

    Attributes:
        column: Name of the column.
        value: A text.

    Example:
        >>> Contains("tags", "sale").value
        'sale'
    """

    kind: ClassVar[str] = "contains"
    value: Value

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "value", checked_value(self.value, "filter.contains.value"))


@dataclass(frozen=True, eq=False, repr=False)
class Range(_Comparison):
    """The number or time of a column is within bounds; at least one is given.

    Attributes:
        column: Name of the column.
        gt: Exclusive lower bound, or None.
        ge: Inclusive lower bound, or None.
        lt: Exclusive upper bound, or None.
        le: Inclusive upper bound, or None.

    Example:
        >>> Range("price", ge=10, lt=20).bounds
        {'ge': 10, 'lt': 20}
    """

    kind: ClassVar[str] = "range"
    gt: Value | None = None
    ge: Value | None = None
    lt: Value | None = None
    le: Value | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in self.bounds.items():
            path = f"filter.range.{name}"
            found = checked_value(value, path)
            if isinstance(found, bool):
                raise InvalidRequestError(
                    f"{path} must be a number or a time; got {value!r}", field=path
                )
            object.__setattr__(self, name, found)
        for names in (("gt", "ge"), ("lt", "le")):
            if self.bounds.keys() >= set(names):
                raise InvalidRequestError(
                    f"filter.range has both {' and '.join(names)}; give one", field="filter.range"
                )
        if not self.bounds:
            raise InvalidRequestError(
                "filter.range has no bound; give gt or ge, lt or le, or use exists",
                field="filter.range",
            )

    def __repr__(self) -> str:
        bounds = "".join(f", {name}={value!r}" for name, value in self.bounds.items())
        return f"Range(column={self.column!r}{bounds})"

    @property
    def bounds(self) -> dict[str, Value]:
        """The bounds that are given, by name."""
        named = {name: getattr(self, name) for name in ("gt", "ge", "lt", "le")}
        return {name: value for name, value in named.items() if value is not None}
