"""A request, in the caller's ids.

``Request`` is the one definition of a request: the CLI, the TOML of a run, reference
queries, the protos and the client are derived from it or compared with it by a test. This module
checks what does not depend on the data; the engine resolves the ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args

from recsys_client.checks import checked_ids
from recsys_client.errors import InvalidRequestError
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
        object.__setattr__(self, "exclude", checked_ids("exclude", self.exclude))
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
        check_query(self.query)


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
