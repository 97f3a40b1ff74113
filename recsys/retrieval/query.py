"""What a retrieval is asked for and what it answers, in the caller's ids.

Which combinations are legal is said here; whether the ids are known is found out in
``recsys.retrieval.reading``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from recsys.errors import InvalidRequestError
from recsys.retrieval.fusion import Fusion, check_fusion
from recsys.retrieval.space import TWO_TOWER

Seen = Literal["exclude", "include"]
UnknownHistory = Literal["skip", "raise"]


@dataclass(frozen=True)
class Query:
    """What is asked for: a user, a history, terms, a picture, several of them, or an item.

    Every space reads an item, a user and a history. Terms are read by ``text`` and, where the
    towers learned from searches, by ``two_tower``; a picture by ``image``.

    Attributes:
        user_id: A user of the log; the history is the one in the log.
        history: Item ids, oldest first; empty means a user who has met nothing yet.
        terms: Search terms.
        item_id: An item: what is near it? Stands alone.
        image: The bytes of a picture's file, in any format that
            ``recsys.encoders.pictures.decoding`` reads. The picture need not be in the catalogue.

    Example:
        >>> Query(history=["lamp", "rug"], terms="blue").history
        ('lamp', 'rug')
    """

    user_id: str | None = None
    history: Sequence[str] | None = None
    terms: str | None = None
    item_id: str | None = None
    image: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.history is not None:
            object.__setattr__(self, "history", ids("query.history", self.history))


@dataclass(frozen=True)
class Request:
    """A query and how it is to be answered.

    Attributes:
        query: What is asked for.
        k: Candidates wanted, 1 or more.
        space: Which space is searched; several are joined by '+', such as "text+image", and each
            reads what it can of the query.
        exclude: Item ids that must not come.
        seen: Whether items of the history (given or from the log) may come.
        unknown_history: Whether ids in a given history that are not in the catalogue are skipped
            and reported, or are an error.
        fusion: How several spaces become one answer; None means ``ReciprocalRank()``.

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

    @property
    def spaces(self) -> tuple[str, ...]:
        """The names of the spaces that are searched."""
        return tuple(self.space.split("+"))

    def check(self, max_k: int) -> None:
        """Refuse what could not be answered whatever the ids are.

        Raises:
            InvalidRequestError: A value is out of range or two contradict; ``field`` names one.
        """
        if isinstance(self.k, bool) or not isinstance(self.k, int) or not 1 <= self.k <= max_k:
            raise InvalidRequestError(f"k must be from 1 to {max_k:,}; got {self.k!r}", field="k")
        ids("exclude", self.exclude)
        for name, choices in (("seen", Seen), ("unknown_history", UnknownHistory)):
            value, known = getattr(self, name), get_args(choices)
            if value not in known:
                options = " or ".join(f"'{choice}'" for choice in known)
                raise InvalidRequestError(f"{name} must be {options}; got {value!r}", field=name)
        _check_space(self.space)
        check_fusion(self.fusion, self.spaces)
        _check_query(self.query)


@dataclass(frozen=True)
class Candidate:
    """One item of an answer.

    Attributes:
        id: The item's id.
        score: Its inner product with the query, or what several spaces were fused to; larger is
            better, within one answer.
        rank: Its place, from 1.
        parts: Of a fused answer: its inner product in each space in which it has a vector.

    Example:
        >>> Candidate("lamp", 0.5, 1).rank
        1
    """

    id: str
    score: float
    rank: int
    parts: Mapping[str, float] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Retrieved:
    """The answer to one query.

    Attributes:
        candidates: Best first, at most k.
        space: The space searched, as asked.
        unknown_history: Ids of the given history that are not in the catalogue, left out.
        short: Why there are fewer than k candidates, or None.
        unknown_exclude: Ids to exclude that are not in the catalogue; they had no effect.
        unread_terms: Search terms of which the text encoder knows no word, so that only the user
            or the history counted; or None.

    Example:
        >>> Retrieved((Candidate("lamp", 0.5, 1),), "text").ids
        ['lamp']
    """

    candidates: tuple[Candidate, ...]
    space: str
    unknown_history: tuple[str, ...] = ()
    short: str | None = None
    unknown_exclude: tuple[str, ...] = ()
    unread_terms: str | None = None

    @property
    def ids(self) -> list[str]:
        """The candidates' ids, best first."""
        return [candidate.id for candidate in self.candidates]


def ids(field: str, values: Sequence[str]) -> tuple[str, ...]:
    """A sequence of ids as a tuple.

    Raises:
        InvalidRequestError: It is one string, or holds what is not a non-empty string.
    """
    if isinstance(values, str):
        raise InvalidRequestError(f"{field} must be a sequence of ids; got one string", field=field)
    found = tuple(values)
    for position, value in enumerate(found):
        if not isinstance(value, str) or not value:
            raise InvalidRequestError(
                f"{field} must hold ids, non-empty strings; position {position} holds {value!r}",
                field=f"{field}[{position}]",
            )
    return found


def check_image(image: bytes | None) -> None:
    """Refuse a picture that is not the bytes of a file, such as its name.

    Raises:
        InvalidRequestError: It is something else.
    """
    if image is not None and not isinstance(image, bytes):
        raise InvalidRequestError(
            f"image must be the bytes of a picture's file; got {type(image).__name__}: "
            "read the file first",
            field="query.image",
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


def _check_query(query: Query) -> None:
    for name in ("user_id", "terms", "item_id"):
        value = getattr(query, name)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise InvalidRequestError(
                f"{name} must be a string that is not blank; got {value!r:.80}",
                field=f"query.{name}",
            )
    check_image(query.image)
    parts = ("user_id", "history", "terms", "image")
    given = [name for name in parts if getattr(query, name) is not None]
    if query.item_id is not None and given:
        raise InvalidRequestError(
            f"item_id stands alone; leave out {' and '.join(given)}", field="query.item_id"
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
