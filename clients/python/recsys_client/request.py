"""A request and its response, in the caller's ids.

``Request`` is the one definition of a request: the CLI, the TOML of a run, reference
queries, the protos and the client are derived from it or compared with it by a test. This module
checks what does not depend on the data; the engine resolves the ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, get_args

from recsys_client.errors import InvalidRequestError
from recsys_client.fusion import Fusion, check_fusion

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")
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


MAX_ID = 512
"""Largest number of characters of an id, and of a context column or value."""


def id_fault(value: str) -> str:
    """Reason why a text cannot be an id, in ingestion as in requests; "" if it can.

    Example:
        >>> id_fault("lamp"), id_fault("\\u00a0"), id_fault("9" * 600)
        ('', 'blank', 'longer than 512 characters')
    """
    if not value.strip():
        return "blank"
    return f"longer than {MAX_ID} characters" if len(value) > MAX_ID else ""


class QueryFields(TypedDict, total=False):
    """The fields of a :class:`Query`, as keyword arguments."""

    user_id: str | None
    history: Sequence[str] | None
    terms: str | None
    item_id: str | None
    image: bytes | None
    context: Mapping[str, str]
    history_times: Sequence[int] | None


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


class RequestFields(QueryFields, RequestOptions):
    """The fields of a request and of its query, as keyword arguments."""


@dataclass(frozen=True)
class Query:
    """A user, a history, search terms, a picture, several of them, or an item.

    Every space reads an item, a user and a history. Terms are read by ``text`` and, where the
    towers were trained on searches, by ``two_tower``; a picture by ``image``; context and times by
    ``two_tower``, where the towers were trained with them.

    Attributes:
        user_id: A user of the log, whose history is the one in the log.
        history: Item ids, oldest first; empty for a user without interactions.
        terms: Search terms.
        item_id: An item, to find its neighbours. Excludes every other field.
        image: Bytes of a picture's file, JPEG, PNG, GIF, WebP, BMP or TIFF; it
            need not be in the catalogue.
        context: Value of each context column that is known.
        history_times: Time of each item of ``history`` in seconds since 1970, ascending.

    Example:
        >>> Query(history=["lamp", "rug"], terms="blue").history
        ('lamp', 'rug')
    """

    user_id: str | None = None
    history: Sequence[str] | None = None
    terms: str | None = None
    item_id: str | None = None
    image: bytes | None = field(default=None, repr=False)
    context: Mapping[str, str] = field(default_factory=dict, hash=False)
    history_times: Sequence[int] | None = None

    def __post_init__(self) -> None:
        if self.history is not None:
            object.__setattr__(self, "history", _checked_ids("query.history", self.history))
        object.__setattr__(self, "context", _checked_context(self.context))
        if self.history_times is not None:
            if self.history is None:
                raise InvalidRequestError(
                    "history_times needs a history; give both or neither",
                    field="query.history_times",
                )
            times = _checked_times(self.history_times)
            object.__setattr__(self, "history_times", times if times or self.history else None)


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "exclude", _checked_ids("exclude", self.exclude))
        if isinstance(self.k, Integral) and not isinstance(self.k, bool):
            object.__setattr__(self, "k", int(self.k))  # such as an integer of NumPy

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
        if not isinstance(self.titles, bool):
            raise InvalidRequestError(
                f"titles must be True or False; got {self.titles!r:.80}", field="titles"
            )
        _check_space(self.space)
        check_fusion(self.fusion, self.spaces)
        _check_query(self.query)


@dataclass(frozen=True)
class Candidate:
    """One item of a response.

    Attributes:
        id: Id of the item.
        score: Its inner product with the query, or the fused score of several spaces; larger is
            better, comparable within one response.
        rank: Position in the response, from 1.
        parts: Inner product in each space in which it has a vector; empty unless several spaces
            were searched.
        title: Title of the item; None where it has none or the request wants no titles.

    Example:
        >>> Candidate("lamp", 0.5, 1).rank
        1
    """

    id: str
    score: float
    rank: int
    parts: Mapping[str, float] = field(default_factory=dict, hash=False)
    title: str | None = None


@dataclass(frozen=True)
class Response:
    """The answer to one request.

    Attributes:
        candidates: Candidates, best first, at most k.
        space: Space or spaces searched, as requested.
        unknown_history: Ids of the given history that are not in the catalogue and were skipped.
        short: Reason why there are fewer than k candidates, or None.
        unknown_exclude: Ids to exclude that are not in the catalogue; they had no effect.
        unread_terms: Search terms that had no effect, because the text encoder knows none of their
            words; or None.
        bundle_version: Version of the bundle that answered; "" outside a bundle.

    Example:
        >>> Response((Candidate("lamp", 0.5, 1),), "text").ids
        ['lamp']
    """

    candidates: tuple[Candidate, ...]
    space: str
    unknown_history: tuple[str, ...] = ()
    short: str | None = None
    unknown_exclude: tuple[str, ...] = ()
    unread_terms: str | None = None
    bundle_version: str = ""

    @property
    def ids(self) -> list[str]:
        """Ids of the candidates, best first."""
        return [candidate.id for candidate in self.candidates]

    @property
    def notes(self) -> list[str]:
        """Statements for a person: why there are few candidates, and what had no effect.

        Example:
            >>> Response((), "text", unread_terms="zzz").notes
            ["the text encoder knows no word of 'zzz'"]
        """
        notes = [self.short] if self.short else []
        if self.unknown_history:
            skipped = ", ".join(self.unknown_history)
            notes.append(f"unknown ids in the history were skipped: {skipped}")
        if self.unknown_exclude:
            unknown = ", ".join(self.unknown_exclude)
            notes.append(f"unknown ids to exclude had no effect: {unknown}")
        if self.unread_terms:
            notes.append(f"the text encoder knows no word of {self.unread_terms!r}")
        return notes


def _checked_ids(field: str, values: Sequence[str]) -> tuple[str, ...]:
    found = _checked_sequence(field, "ids", values)
    for position, value in enumerate(found):
        if not isinstance(value, str) or not value:
            raise InvalidRequestError(
                f"{field} must hold ids, non-empty strings; position {position} holds {value!r}",
                field=f"{field}[{position}]",
            )
    return found


def _checked_sequence(field: str, noun: str, values: Sequence[T]) -> tuple[T, ...]:
    if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):
        raise InvalidRequestError(
            f"{field} must be a sequence of {noun}; got the single value {values!r:.80}",
            field=field,
        )
    return tuple(values)


def _checked_context(context: Mapping[str, str]) -> dict[str, str]:
    pairs = list(context.items()) if isinstance(context, Mapping) else [(context, None)]
    for column, value in pairs:
        if not all(isinstance(text, str) and text for text in (column, value)):
            raise InvalidRequestError(
                "context must map names of columns to values, both non-empty strings; "
                f"got {value!r:.80} for {column!r:.80}",
                field="query.context",
            )
    return dict(context)


def _checked_times(values: Sequence[int]) -> tuple[int, ...]:
    times = _checked_sequence("query.history_times", "times", values)
    for position, value in enumerate(times):
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if not whole or not -(2**63) <= value < 2**63:
            raise InvalidRequestError(
                "history_times must hold whole seconds since 1970; position "
                f"{position} holds {value!r:.80}",
                field=f"query.history_times[{position}]",
            )
    return tuple(map(int, times))


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


def _check_query(query: Query) -> None:
    for name in ("user_id", "terms", "item_id"):
        value = getattr(query, name)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise InvalidRequestError(
                f"{name} must be a string that is not blank; got {value!r:.80}",
                field=f"query.{name}",
            )
        if (
            value is not None and name != "terms" and id_fault(value)
        ):  # blank ones are refused above
            raise InvalidRequestError(
                f"{name} has {len(value):,} characters; an id has at most {MAX_ID}",
                field=f"query.{name}",
            )
    if query.image is not None and not isinstance(query.image, bytes):
        raise InvalidRequestError(
            f"image must be the bytes of a picture's file; got {type(query.image).__name__}: "
            "read the file first",
            field="query.image",
        )
    parts = ("user_id", "history", "terms", "image")
    given = [name for name in parts if getattr(query, name) is not None]
    if query.item_id is not None and (given or query.context):
        others = [*given, *(["context"] if query.context else [])]
        raise InvalidRequestError(
            f"item_id stands alone; leave out {' and '.join(others)}", field="query.item_id"
        )
    if query.user_id is not None and query.history is not None:
        raise InvalidRequestError(
            "user_id brings its own history; give user_id or history, not both",
            field="query.history",
        )
    if query.item_id is None and not given:
        raise InvalidRequestError(
            "the query is empty; give user_id, history, terms, image or item_id", field="query"
        )
    _check_times(query)


def _check_times(query: Query) -> None:
    times, history = query.history_times, query.history or ()
    if times is None:
        return
    if len(times) != len(history):
        raise InvalidRequestError(
            f"history_times must hold one time per item of history; got {len(times)} for "
            f"{len(history)}",
            field="query.history_times",
        )
    for position in range(1, len(times)):
        if times[position] < times[position - 1]:
            raise InvalidRequestError(
                f"history_times must not descend, since the oldest item comes first; position "
                f"{position} does",
                field=f"query.history_times[{position}]",
            )
