"""A feed request, in the caller's ids, and the checks that do not depend on the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import get_args

from recsys_client.checks import checked_ids, checked_sequence
from recsys_client.errors import InvalidRequestError
from recsys_client.filters import Filter, parse_filter
from recsys_client.query import Query, check_query
from recsys_client.request import Seen

MAX_FEED = 1_000
"""Largest number of items of a feed."""
MAX_GIVEN = 10_000
"""Largest number of candidates of a request."""
MAX_SCORE = 1e30
"""Largest absolute score of a candidate; scores are float32, as are their sums."""
_NOT_IN_FEEDS = ("item_id", "item_ids", "vector", "image")


@dataclass(frozen=True)
class FeedRequest:
    """A user or a history, search terms or none of them, and what the feed must respect.

    Attributes:
        query: User, history with times, search terms and context; an empty query is that of an
            unknown visitor. Items, vectors and pictures are not read.
        k: Number of items.
        pipeline: Name of the pipeline; "" for the one of the user's share.
        exclude: Item ids that must not be in the feed.
        seen: Whether items of the history may be in the feed.
        filter: Predicate over the columns of the catalogue that the items fulfil, or its text form.
        blocked: Values per column of the catalogue that no item of the feed has.
        followed: Values per column of the catalogue whose items the user wants to see.
        candidates: Item ids from another system that take part in the ranking, best first.
        candidate_scores: Score of each of ``candidates``, from -1e30 to 1e30; None where only their
            order is known.
        pinned: Item ids for the pinned positions of the pipeline, in their order.
        promoted: Item ids for the promoted positions of the pipeline, in their order.
        now: Time of the request in seconds since 1970; None for the clock.
        seed: Seed of the random choices; None for a new one.
        titles: Whether items carry their titles.
        explain: Whether the response explains its items.
        explain_ids: Item ids whose absence from the feed is explained; they imply ``explain``.

    Example:
        >>> FeedRequest(Query(user_id="ann"), k=10, followed={"brand": ["acme"]}).followed
        {'brand': ('acme',)}
    """

    query: Query = field(default_factory=Query)
    k: int = 20
    pipeline: str = ""
    exclude: Sequence[str] = ()
    seen: Seen = "exclude"
    filter: Filter | str | None = None
    blocked: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)
    followed: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)
    candidates: Sequence[str] = ()
    candidate_scores: Sequence[float] | None = None
    pinned: Sequence[str] = ()
    promoted: Sequence[str] = ()
    now: int | None = None
    seed: int | None = None
    titles: bool = False
    explain: bool = False
    explain_ids: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("exclude", "candidates", "pinned", "promoted", "explain_ids"):
            object.__setattr__(self, name, checked_ids(name, getattr(self, name)))
        for name in ("blocked", "followed"):
            object.__setattr__(self, name, _checked_values(name, getattr(self, name)))
        if isinstance(self.filter, str):
            object.__setattr__(self, "filter", parse_filter(self.filter))
        if self.candidate_scores is not None:
            object.__setattr__(self, "candidate_scores", _checked_scores(self.candidate_scores))

    @property
    def predicate(self) -> Filter | None:
        """The filter, which was parsed if it was given as text."""
        assert not isinstance(self.filter, str)
        return self.filter

    @property
    def explains(self) -> bool:
        """Whether the response has an explanation."""
        return self.explain or bool(self.explain_ids)

    def check(self, max_k: int = MAX_FEED) -> None:
        """Refuse what cannot be answered, whatever the ids are.

        Raises:
            InvalidRequestError: A value is out of range or two contradict; ``field`` names one.
        """
        _check_whole("k", self.k, 1, max_k)
        if self.now is not None:
            _check_whole("now", self.now, -(2**62), 2**62)
        if self.seed is not None:
            _check_whole("seed", self.seed, 0, 2**63 - 1)
        if self.seen not in get_args(Seen):
            raise InvalidRequestError(
                f"seen must be 'exclude' or 'include'; got {self.seen!r}", field="seen"
            )
        for name in ("titles", "explain"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidRequestError(
                    f"{name} must be True or False; got {getattr(self, name)!r:.80}", field=name
                )
        if len(self.candidates) > MAX_GIVEN:
            raise InvalidRequestError(
                f"candidates must hold at most {MAX_GIVEN:,} ids; got {len(self.candidates):,}",
                field="candidates",
            )
        if self.filter is not None and not isinstance(self.filter, Filter):
            raise InvalidRequestError(
                "filter must be a Filter of recsys_client.filters or its text; "
                f"got {self.filter!r:.80}",
                field="filter",
            )
        scores = self.candidate_scores
        if scores is not None and len(scores) != len(self.candidates):
            raise InvalidRequestError(
                f"candidate_scores must hold one score per candidate; got {len(scores):,} for "
                f"{len(self.candidates):,}",
                field="candidate_scores",
            )
        for name in _NOT_IN_FEEDS:
            if getattr(self.query, name) is not None:
                raise InvalidRequestError(
                    f"a feed reads no {name}; give a user, a history or search terms, or call "
                    "Retrieve",
                    field=f"query.{name}",
                )
        if self.query != Query() and not _only_context(self.query):
            check_query(self.query)


def _only_context(query: Query) -> bool:
    return query == Query(context=query.context)


def _check_whole(name: str, value: object, least: int, most: int) -> None:
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or not least <= int(value) <= most:  # type: ignore[call-overload]
        raise InvalidRequestError(
            f"{name} must be a whole number from {least:,} to {most:,}; got {value!r:.80}",
            field=name,
        )


def _checked_values(name: str, given: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    if not isinstance(given, Mapping):
        raise InvalidRequestError(
            f"{name} must map names of columns to values; got {given!r:.80}", field=name
        )
    found = {}
    for column, values in given.items():
        if not isinstance(column, str) or not column:
            raise InvalidRequestError(
                f"{name} must name columns, non-empty strings; got {column!r:.80}", field=name
            )
        found[column] = checked_ids(f"{name}.{column:.80}", values)
    return found


def _checked_scores(given: Sequence[float]) -> tuple[float, ...]:
    scores = checked_sequence("candidate_scores", "numbers", given)
    for position, score in enumerate(scores):
        real = isinstance(score, Real) and not isinstance(score, bool)
        if not real or not abs(score) <= MAX_SCORE:
            raise InvalidRequestError(
                f"candidate_scores must hold numbers from -{MAX_SCORE:g} to {MAX_SCORE:g}; "
                f"position {position} holds {score!r:.80}",
                field=f"candidate_scores[{position}]",
            )
    return tuple(map(float, scores))
