"""Filters, and their combinations by ``And``, ``Or`` and ``Not``.

A comparison with a missing value is false, and ``Not`` is true exactly where its filter is false.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from recsys_client.errors import InvalidRequestError

MAX_DEPTH = 20
"""Largest number of nested predicates; a single comparison has depth 1."""
MAX_PREDICATES = 1_000
"""Largest number of predicates of a filter, each ``And``, ``Or`` and ``Not`` included."""
MAX_VALUES = 10_000
"""Largest number of values of a filter."""


class Filter:
    """A predicate over the attributes of an item: the base class of all predicates.

    ``a & b``, ``a | b`` and ``~a`` are ``And``, ``Or`` and ``Not``. Filters are equal if their
    canonical forms are.

    Example:
        >>> from recsys_client.filters import Eq, Exists
        >>> acme, priced = Eq("brand", "acme"), Exists("price")
        >>> acme & priced & acme == priced & ~~acme
        True
    """

    kind: ClassVar[str]
    """Name of the predicate in JSON, in messages and in the paths of errors."""

    def __and__(self, other: Filter) -> And:
        return And((self, other))

    def __or__(self, other: Filter) -> Or:
        return Or((self, other))

    def __invert__(self) -> Not:
        return Not(self)

    @property
    def children(self) -> tuple[Filter, ...]:
        """Filters that this one combines."""
        return ()

    @property
    def n_values(self) -> int:
        """Number of values in the filter."""
        return sum(child.n_values for child in self.children)

    @cached_property
    def depth(self) -> int:
        """Number of nested predicates, 1 for a single comparison."""
        return 1 + max((child.depth for child in self.children), default=0)

    @cached_property
    def n_predicates(self) -> int:
        """Number of predicates, this one included."""
        return 1 + sum(child.n_predicates for child in self.children)

    def canonical(self) -> Filter:
        """The same predicate without nested ``And`` and ``Or``, repetitions and double negations.

        Parts and values are sorted; an ``In``, ``And`` or ``Or`` of one is that one.
        """
        return self

    @cached_property
    def key(self) -> str:
        """The canonical form as text: the key of caches."""
        return repr(self.canonical())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filter) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that the filter reads, sorted."""
        return tuple(sorted({name for child in self.children for name in child.columns}))

    def _check_size(self) -> None:
        """Refuse a filter that is too deep or too large."""
        for n, most, noun in (
            (self.depth, MAX_DEPTH, "nested predicates"),
            (self.n_predicates, MAX_PREDICATES, "predicates"),
            (self.n_values, MAX_VALUES, "values"),
        ):
            if n > most:
                path = f"filter.{self.kind}"
                raise InvalidRequestError(
                    f"{path} has {n:,} {noun}; a filter has at most {most:,}", field=path
                )


@dataclass(frozen=True, eq=False)
class _Combination(Filter):
    """Several filters."""

    parts: Sequence[Filter]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", _checked_parts(self.parts, f"filter.{self.kind}"))
        self._check_size()

    @property
    def children(self) -> tuple[Filter, ...]:
        return tuple(self.parts)

    def canonical(self) -> Filter:
        parts = {
            repr(part): part
            for each in self.children
            for part in _flattened(each.canonical(), type(self))
        }
        kept = [parts[key] for key in sorted(parts)]
        return type(self)(kept) if len(kept) > 1 else kept[0]


@dataclass(frozen=True, eq=False)
class And(_Combination):
    """All of several filters are true.

    Attributes:
        parts: At least one filter.

    Example:
        >>> from recsys_client.filters import Eq, Exists
        >>> And((Exists("brand"), Eq("sold_out", False))).columns
        ('brand', 'sold_out')
    """

    kind: ClassVar[str] = "and"


@dataclass(frozen=True, eq=False)
class Or(_Combination):
    """At least one of several filters is true.

    Attributes:
        parts: At least one filter.

    Example:
        >>> from recsys_client.filters import Eq, Exists
        >>> len(Or((Eq("brand", "acme"), Exists("price"))).parts)
        2
    """

    kind: ClassVar[str] = "or"


@dataclass(frozen=True, eq=False)
class Not(Filter):
    """A filter is false; also where it is false because a value is missing.

    Attributes:
        part: The filter.

    Example:
        >>> from recsys_client.filters import Exists
        >>> Not(Exists("brand")).depth
        2
    """

    kind: ClassVar[str] = "not"
    part: Filter

    def __post_init__(self) -> None:
        _check_part(self.part, "filter.not")
        self._check_size()

    @property
    def children(self) -> tuple[Filter, ...]:
        return (self.part,)

    def canonical(self) -> Filter:
        part = self.part.canonical()
        return part.part if isinstance(part, Not) else Not(part)


def _flattened(filter: Filter, combination: type[Filter]) -> tuple[Filter, ...]:
    return filter.children if type(filter) is combination else (filter,)


def _checked_parts(parts: Iterable[Filter], path: str) -> tuple[Filter, ...]:
    if not isinstance(parts, Iterable) or isinstance(parts, str):
        raise InvalidRequestError(
            f"{path} must be a list of filters; got {parts!r:.80}", field=path
        )
    found = tuple(parts)
    if not found:
        raise InvalidRequestError(f"{path} is empty; give at least one filter", field=path)
    for at, part in enumerate(found):
        _check_part(part, f"{path}[{at}]")
    return found


def _check_part(part: object, path: str) -> None:
    if not isinstance(part, Filter):
        raise InvalidRequestError(f"{path} must be a filter; got {part!r:.80}", field=path)
