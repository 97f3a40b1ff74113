"""Stages that arrange scored candidates: variety, caps, fixed items and exploration."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from recsys.config import Config
from recsys.feed.candidates import Candidates
from recsys.feed.context import FeedContext
from recsys.feed.slate import (
    Beliefs,
    Diversity,
    Exploration,
    FixedSlots,
    Outcome,
    ValueLimit,
    diversify,
    plan_slate,
)
from recsys.feed.slate.diversity import Method
from recsys.feed.stages import DiversityStage, Selected, SlotStage
from recsys.ids import Rows
from recsys.retrieval import TWO_TOWER

_REASONS = {
    Outcome.CAPPED: "items with the same value reached the cap",
    Outcome.BEYOND: "all positions were taken by better items",
    Outcome.DISPLACED: "an explored item took its position",
}


class Diversify(DiversityStage):
    """Orders the best candidates by score and variety; none is removed.

    Attributes:
        method: "mmr", "msd", "dpp" or "ssd"; see ``recsys.feed.slate.Diversity``.
        strength: Weight of variety, from 0 to 1.
        window: Number of earlier items that "ssd" compares with; all if left out.
        space: Space whose vectors are compared.
        picks: Number of items that are picked for variety; by default those of the feed.
    """

    stage: Literal["diversify"] = "diversify"
    method: Method = "mmr"
    strength: float = Field(0.02, ge=0, le=1)
    window: int | None = Field(None, ge=1)
    space: str = TWO_TOWER
    picks: int | None = Field(None, ge=1)

    def idle(self, context: FeedContext) -> str:
        """Why the order stays."""
        return "" if context.view.space(self.space) else f"the bundle has no space '{self.space}'"

    def run(self, context: FeedContext, candidates: Candidates) -> Selected:
        """All candidates, the varied ones first."""
        vectors = candidates.columns.get(f"vectors.{self.space}")
        if vectors is None:
            vectors = context.view.vectors(self.space, candidates.rows)
        finite = np.isfinite(candidates.scores)
        lowest = candidates.scores[finite].min(initial=0.0)
        scores = np.where(finite, candidates.scores, lowest).astype(np.float32)
        diversity = Diversity(self.method, self.strength, self.window)
        order = diversify(scores, vectors, self.picks or context.k, diversity)
        return Selected(candidates.rows[order])


class Limit(Config):
    """A cap and a spacing for the values of one column.

    Attributes:
        column: Column of the catalogue.
        most: Largest number of items of the feed with the same value; no cap if left out.
        gap: Number of other items between two with the same value.
    """

    column: str
    most: int | None = Field(None, ge=1)
    gap: int = Field(0, ge=0)


class Explore(Config):
    """Positions that sometimes show an item which its score would not bring there.

    Attributes:
        positions: These positions, from 1.
        rate: Probability that each of them explores.
        policy: Choice of the item at a position that explores. With "epsilon", all candidates have
            the same probability. "thompson" shows a candidate with the probability that its rate
            of clicks is the highest, given how often the store's feeds have shown it and how often
            it was taken: items that few users have seen are tried until their rate is known.
        prior: Clicks and impressions without a click that every item begins with under "thompson".
        most: Largest number of candidates per position, the best ones beyond the feed.
        fewer_interactions_than: Explore only items with fewer interactions; all if left out.
    """

    positions: tuple[int, ...] = Field(min_length=1)
    rate: float = Field(0.1, gt=0, le=1)
    policy: Literal["epsilon", "thompson"] = "epsilon"
    prior: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (1.0, 19.0)
    most: int = Field(50, ge=1)
    fewer_interactions_than: int | None = Field(None, ge=1)

    def beliefs(self, context: FeedContext, candidates: Candidates) -> Beliefs | None:
        """What is known of the rate of clicks of each candidate; None without the policy."""
        if self.policy == "epsilon":
            return None
        shown = taken = np.zeros(len(candidates), np.int64)
        if context.view.shown is not None:
            ids = context.view.retriever.catalogue.ids.ids(candidates.rows)
            shown, taken = context.view.shown.counts(ids)
        return Beliefs.from_counts(taken, shown, prior=self.prior)


class Slate(SlotStage):
    """Assigns candidates to positions, within caps and around fixed and explored items.

    Attributes:
        limits: Caps and spacing per column.
        pinned: Positions of the pinned items of the request, from 1.
        promoted: Positions of the promoted items of the request, from 1.
        explore: Exploring positions; none if left out.
    """

    stage: Literal["slate"] = "slate"
    limits: tuple[Limit, ...] = ()
    pinned: tuple[int, ...] = (1, 2, 3)
    promoted: tuple[int, ...] = (4, 12)
    explore: Explore | None = None

    def run(self, context: FeedContext, candidates: Candidates) -> Selected:
        """The items of the feed with their propensities."""
        if not len(candidates):
            return Selected(candidates.rows)
        plan = plan_slate(
            np.arange(len(candidates), dtype=np.int32),
            context.k,
            limits=[self._limit(each, context, candidates) for each in self.limits],
            fixed=self._fixed(context, candidates),
            exploration=self._exploration(context, candidates),
        )
        slate = plan.draw(np.random.default_rng(context.seed))
        return Selected(
            candidates.rows[slate.positions],
            tuple(_REASONS.values()),
            (slate.outcomes - 1).astype(np.int8),
            slate.kinds,
            slate.propensities.astype(np.float32),
        )

    def _limit(self, limit: Limit, context: FeedContext, candidates: Candidates) -> ValueLimit:
        values = context.view.columns.values(limit.column)
        codes = values.single_at(candidates.rows)
        if codes is None:
            several = values.at(candidates.rows)
            codes = np.full((len(several), max(map(len, several), default=1) or 1), -1, np.int32)
            for at, own in enumerate(several):
                codes[at, : len(own)] = own
        return ValueLimit(limit.column, codes, limit.most, limit.gap)

    def _fixed(self, context: FeedContext, candidates: Candidates) -> FixedSlots:
        used: set[int] = set()

        def positions(rows: Rows) -> list[int]:
            found = candidates.positions_of(rows).tolist()
            fresh = [at for at in dict.fromkeys(found) if at >= 0 and at not in used]
            used.update(fresh)
            return fresh

        pinned = dict(zip(self._slots(self.pinned, context), positions(context.pinned)))
        slots = [each for each in self._slots(self.promoted, context) if each not in pinned]
        return FixedSlots(pinned, tuple(positions(context.promoted)), tuple(slots))

    def _exploration(self, context: FeedContext, candidates: Candidates) -> Exploration | None:
        if self.explore is None:
            return None
        eligible, fewer = None, self.explore.fewer_interactions_than
        if fewer is not None:
            statistics = context.view.statistics
            eligible = statistics.of_rows(statistics.popularity, candidates.rows) < fewer
        slots = self._slots(self.explore.positions, context)
        beliefs = self.explore.beliefs(context, candidates)
        return Exploration(
            tuple(sorted(slots)), self.explore.rate, eligible, beliefs, self.explore.most
        )

    @staticmethod
    def _slots(positions: tuple[int, ...], context: FeedContext) -> list[int]:
        return [position - 1 for position in positions if 1 <= position <= context.k]
