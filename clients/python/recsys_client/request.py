"""A request, in the caller's ids.

``Request`` is the one definition of a request: the CLI, the TOML of a run, reference
queries, the protos and the client are derived from it or compared with it by a test. This module
checks what does not depend on the data; the engine resolves the ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args

from recsys_client.checks import checked_ids
from recsys_client.errors import InvalidRequestError
from recsys_client.filters import Filter, parse_filter
from recsys_client.fusion import Fusion, check_fusion
from recsys_client.query import Query, QueryFields, check_query

if TYPE_CHECKING:
    from typing_extensions import Unpack

Seen = Literal["exclude", "include"]
UnknownHistory = Literal["skip", "raise"]
TWO_TOWER = "two_tower"
"""The space of the towers: items by the item tower, queries by the query tower."""
TEXT = "text"
"""The space of the text encoder: items and search terms."""
IMAGE = "image"
"""The space of the image encoder: items and query pictures."""
MAX_K = 10_000
"""Largest number of candidates of a request."""
SERVICE_MAX_K = 1_000
"""Largest number of candidates of a request to a service with the default limits."""
SERVICE_BATCH = 128
"""Largest number of requests per call of a service with the default limits."""
MAX_CROWDING = 8
"""Largest number of columns of a crowding."""
MIN_EFFORT, MAX_EFFORT = 0.1, 10.0


class _RequiredOptions(TypedDict):
    k: int


class RequestOptions(_RequiredOptions, total=False):
    """The fields of a :class:`Request` but the query, as keyword arguments."""

    space: str
    exclude: Sequence[str]
    seen: Seen
    unknown_history: UnknownHistory
    fusion: Fusion | None
    titles: bool
    filter: Filter | str | None
    crowding: Mapping[str, int]
    effort: float
    explain: bool


class RequestFields(QueryFields, RequestOptions):
    """The fields of a request and of its query, as keyword arguments."""


@dataclass(frozen=True)
class Request:
    """A query and the options of its answer.

    Attributes:
        query: The query.
        k: Number of candidates, 1 or more.
        space: Name of the space to search, or several names joined by '+', such as "text+image";
            each space reads what it can of the query.
        exclude: Item ids that must not be candidates.
        seen: Whether items of the history (given or from the log) may be candidates.
        unknown_history: Whether ids of a given history that are not in the catalogue are skipped
            and reported, or are an error.
        fusion: Fusion of several spaces; None means ``ReciprocalRank()``.
        titles: Whether candidates carry their titles.
        filter: Predicate over the columns of the catalogue that candidates fulfil, as a
            :class:`~recsys_client.filters.Filter` or in its text form, such as
            ``'brand = "acme" and price < 20'``, which is parsed; None for all items.
        crowding: Largest number of candidates per value of a column of the catalogue, by the name
            of the column. The answer is the best k items under these limits: that of a walk down
            the whole ranked list which skips an item if one of its values is used up. An item
            without a value in a column is not limited by it.
        effort: Cost of the search relative to the tuned one, from 0.1 to 10; 2 takes about twice
            the time and raises the recall of an approximate index.
        explain: Whether the response carries its explanation.

    Example:
        >>> Request(Query(terms="lamp", image=b"..."), k=10, space="text+image").spaces
        ('text', 'image')
    """

    query: Query
    k: int
    space: str = TWO_TOWER
    exclude: Sequence[str] = ()
    seen: Seen = "exclude"
    unknown_history: UnknownHistory = "skip"
    fusion: Fusion | None = None
    titles: bool = False
    filter: Filter | str | None = None
    crowding: Mapping[str, int] = field(default_factory=dict, hash=False)
    effort: float = 1.0
    explain: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "exclude", checked_ids("exclude", self.exclude))
        if isinstance(self.k, Integral) and not isinstance(self.k, bool):
            object.__setattr__(self, "k", int(self.k))  # such as an integer of NumPy
        object.__setattr__(self, "filter", _checked_filter(self.filter))
        object.__setattr__(self, "crowding", _checked_crowding(self.crowding))
        if isinstance(self.effort, Real) and not isinstance(self.effort, bool):
            object.__setattr__(self, "effort", float(self.effort))

    @classmethod
    def of(cls, **values: Unpack[RequestFields]) -> Request:
        """A request from the fields of the query and its own.

        Example:
            >>> Request.of(user_id="ann", k=10).query.user_id
            'ann'
        """
        options: dict[str, Any] = dict(values)
        names = {each.name for each in fields(Query)} & options.keys()
        return cls(Query(**{name: options.pop(name) for name in names}), **options)

    @property
    def spaces(self) -> tuple[str, ...]:
        """Names of the spaces to search."""
        return tuple(self.space.split("+"))

    @property
    def predicate(self) -> Filter | None:
        """The filter, which was parsed if it was given as text."""
        assert not isinstance(self.filter, str)
        return self.filter

    def check(self, max_k: int, *, limit: str = "") -> None:
        """Refuse what cannot be answered, whatever the ids are.

        Args:
            max_k: Largest k.
            limit: Description of the largest k for the message, where a later check allows less.

        Raises:
            InvalidRequestError: A value is out of range or two contradict; ``field`` names one.
        """
        if isinstance(self.k, bool) or not isinstance(self.k, int) or not 1 <= self.k <= max_k:
            raise InvalidRequestError(
                f"k must be from 1 to {limit or f'{max_k:,}'}; got {self.k!r}", field="k"
            )
        for name, choices in (("seen", Seen), ("unknown_history", UnknownHistory)):
            value, known = getattr(self, name), get_args(choices)
            if value not in known:
                options = " or ".join(f"'{choice}'" for choice in known)
                raise InvalidRequestError(f"{name} must be {options}; got {value!r}", field=name)
        for name in ("titles", "explain"):
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise InvalidRequestError(
                    f"{name} must be True or False; got {value!r:.80}", field=name
                )
        if not isinstance(self.effort, float) or not MIN_EFFORT <= self.effort <= MAX_EFFORT:
            raise InvalidRequestError(
                f"effort must be a number from {MIN_EFFORT:g} to {MAX_EFFORT:g}, the cost relative "
                f"to the tuned search; got {self.effort!r:.80}",
                field="effort",
            )
        _check_space(self.space)
        check_fusion(self.fusion, self.spaces)
        check_query(self.query)
        if self.query.vector is not None and len(self.spaces) > 1:
            raise InvalidRequestError(
                f"vector is of one space, and {self.space!r:.80} names several; search one",
                field="query.vector",
            )


def _check_space(space: str) -> None:
    if not isinstance(space, str) or not all(space.split("+")):
        raise InvalidRequestError(
            "space must be a name, or several joined by '+', such as 'text+image'; "
            f"got {space!r:.80}",
            field="space",
        )
    names = space.split("+")
    if len(set(names)) < len(names):
        raise InvalidRequestError(f"space names one twice: {space!r:.80}", field="space")


def _checked_filter(value: Filter | str | None) -> Filter | None:
    if isinstance(value, str):
        return parse_filter(value)
    if value is None or isinstance(value, Filter):
        return value
    raise InvalidRequestError(
        "filter must be a Filter of recsys_client.filters or its text, such as "
        f"'brand = \"acme\" and price < 20'; got {value!r:.80}",
        field="filter",
    )


def _checked_crowding(limits: Mapping[str, int]) -> dict[str, int]:
    if not isinstance(limits, Mapping):
        raise InvalidRequestError(
            "crowding must map names of columns to the largest number of candidates per value; "
            f"got {limits!r:.80}",
            field="crowding",
        )
    if len(limits) > MAX_CROWDING:
        raise InvalidRequestError(
            f"crowding has {len(limits):,} columns; at most {MAX_CROWDING} are allowed",
            field="crowding",
        )
    for column, most in limits.items():
        if not isinstance(column, str) or not column:
            raise InvalidRequestError(
                f"crowding must name columns, non-empty strings; got {column!r:.80}",
                field="crowding",
            )
        whole = isinstance(most, Integral) and not isinstance(most, bool)
        if not whole or not 1 <= most <= MAX_K:
            raise InvalidRequestError(
                f"crowding must allow a whole number of candidates per value, from 1 to {MAX_K:,}; "
                f"got {most!r:.80} for {column!r:.80}",
                field=f"crowding.{column:.80}",
            )
    # In one order, since a message has none.
    return {column: int(most) for column, most in sorted(limits.items())}
