"""Candidates and the response that holds them, in the caller's ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, overload

Fallback = Literal["empty_history", "popularity"]
UnknownUser = Literal["error", "empty_history", "popularity"]


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


class CandidateColumns(Sequence[Candidate]):
    """The candidates of a response as columns; each is made when it is read.

    It is equal to the tuple of its candidates.

    Args:
        ids: Id per candidate, best first.
        scores: Score per candidate.
        parts: Parts per candidate; empty where all are.
        titles: Title per candidate, or None; empty where all are None.

    Example:
        >>> CandidateColumns(["lamp", "rug"], [0.5, 0.25])[1]
        Candidate(id='rug', score=0.25, rank=2, parts={}, title=None)
    """

    __slots__ = ("ids", "parts", "scores", "titles")

    def __init__(
        self,
        ids: Sequence[str],
        scores: Sequence[float],
        parts: Sequence[Mapping[str, float]] = (),
        titles: Sequence[str | None] = (),
    ) -> None:
        self.ids, self.scores, self.parts, self.titles = ids, scores, parts, titles

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, position: int) -> Candidate: ...

    @overload
    def __getitem__(self, position: slice) -> tuple[Candidate, ...]: ...

    def __getitem__(self, position: int | slice) -> Candidate | tuple[Candidate, ...]:
        at = range(len(self.ids))[position]
        if isinstance(at, range):
            return tuple(map(self._candidate, at))
        return self._candidate(at)

    def __iter__(self) -> Iterator[Candidate]:
        return map(self._candidate, range(len(self.ids)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (tuple, CandidateColumns)):
            return NotImplemented
        return tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))

    def _candidate(self, at: int) -> Candidate:
        return Candidate(
            self.ids[at],
            self.scores[at],
            at + 1,
            self.parts[at] if self.parts else {},
            self.titles[at] if self.titles else None,
        )


@dataclass(frozen=True)
class SpaceExplanation:
    """How one space was searched.

    Attributes:
        space: Name of the space.
        eligible: Number of items that have a vector in the space and that the filter allows;
            excluded and seen ones count.
        plan: Way of the search: "exact" compares every eligible item, "scann" and "leaves" those of
            some leaves of the index, "none" nothing, since nothing is eligible.
        leaves: Number of leaves searched; 0 where the plan has none.
        depth: Number of items whose score was computed exactly.
        read: Number of items compared with the query, in all rounds.
        expected_recall: Share of the true best items that the index is expected to find, from its
            tuning; None where it does not know.
        rounds: Number of searches; more than 1 where a fusion or the crowding had to read on. The
            plan, leaves and depth are those of the last one.

    Example:
        >>> SpaceExplanation("text", eligible=40, plan="exact", leaves=0, depth=40, read=40).rounds
        1
    """

    space: str
    eligible: int
    plan: str
    leaves: int
    depth: int
    read: int
    expected_recall: float | None = None
    rounds: int = 1


@dataclass(frozen=True)
class Explanation:
    """How a request was answered.

    Attributes:
        spaces: The search of each space, in the order of the request.
        filter: Filter in its canonical text form; None without one.

    Example:
        >>> Explanation(()).filter is None
        True
    """

    spaces: tuple[SpaceExplanation, ...]
    filter: str | None = None


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
        explanation: How the request was answered; None unless it set ``explain``.
        watermark: Sequence number of the last recorded change in the state that answered; 0 where
            there are none.
        fallback: Replacement of the history of an unknown user: "empty_history", or "popularity"
            where the items with the most interactions answered; None where there was none.

    Example:
        >>> Response((Candidate("lamp", 0.5, 1),), "text").ids
        ['lamp']
    """

    candidates: Sequence[Candidate]
    space: str
    unknown_history: tuple[str, ...] = ()
    short: str | None = None
    unknown_exclude: tuple[str, ...] = ()
    unread_terms: str | None = None
    bundle_version: str = ""
    explanation: Explanation | None = None
    watermark: int = 0
    fallback: Fallback | None = None

    @property
    def ids(self) -> list[str]:
        """Ids of the candidates, best first."""
        if isinstance(self.candidates, CandidateColumns):
            return list(self.candidates.ids)
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
        if self.fallback == "empty_history":
            notes.append("the user is unknown: these are the candidates for an empty history")
        if self.fallback == "popularity":
            notes.append("the user is unknown: these are the items with the most interactions")
        if self.unread_terms:
            notes.append(f"the text encoder knows no word of {self.unread_terms!r}")
        return notes
