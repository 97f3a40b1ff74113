"""The way of one item through a pipeline, and the items of the history that resemble it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from recsys_client.feed import AbsentItem, FeedItemExplanation, FeedResponse, SimilarItem


@dataclass(frozen=True)
class Step:
    """The way of the item through one stage.

    Attributes:
        stage: Name of the stage.
        role: Kind of the stage.
        given: Number of candidates before the stage.
        rank: Rank of the item after the stage; None where the stage does not order.
        state: "passed", "lost" or, after it was lost, "unreached".
    """

    stage: str
    role: str
    given: int
    rank: int | None
    state: str

    @property
    def share(self) -> float:
        """Length of a bar in percent: 100 for the first rank, near 0 for the last."""
        return 100.0 * (1 - ((self.rank or 1) - 1) / max(self.given, self.rank or 1))


@dataclass(frozen=True)
class SpaceRank:
    """The place of the item among the candidates of one space.

    Attributes:
        space: Name of the space.
        rank: Rank; None where it is not among the first ``depth``.
        score: Inner product with the user's query, or None.
        depth: Number of candidates that were read.
        fault: Message of the error in place of candidates; "" without one.
    """

    space: str
    rank: int | None
    score: float | None
    depth: int
    fault: str = ""


@dataclass(frozen=True)
class PastItem:
    """An item of the history, and its similarity to the explained one.

    Attributes:
        id: Id of the item.
        title: Title, or "".
        similarities: Cosine per space in which it is among the most similar ones.
    """

    id: str
    title: str
    similarities: dict[str, float]


def steps_of(feed: FeedResponse, way: FeedItemExplanation | AbsentItem) -> tuple[Step, ...]:
    """The way of an item through the stages after the sources, without idle ones."""
    ranks = (
        {each.stage: each.rank for each in way.stages}
        if isinstance(way, FeedItemExplanation)
        else {}
    )
    lost_at = way.stage if isinstance(way, AbsentItem) else ""
    steps, state = [], "unreached" if lost_at in ("sources", "catalogue") else "passed"
    for stage in feed.stages:
        if stage.role in ("source", "hydrator") or stage.status in ("off", "idle"):
            continue
        if stage.stage == lost_at:
            state = "lost"
        steps.append(Step(stage.stage, stage.role, stage.given, ranks.get(stage.stage), state))
        state = "unreached" if state == "lost" else state
    return tuple(steps)


def past_of(similar: Iterable[SimilarItem], titles: Mapping[str, str]) -> tuple[PastItem, ...]:
    """The similar items, each once, the most similar first."""
    found: dict[str, dict[str, float]] = {}
    for each in similar:
        found.setdefault(each.id, {})[each.space] = each.similarity
    return tuple(PastItem(id_, titles.get(id_, ""), spaces) for id_, spaces in found.items())
