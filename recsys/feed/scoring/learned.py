"""The learned ranker of the bundle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from recsys.feed.candidates import Candidates
from recsys.feed.context import FeedContext
from recsys.feed.stages import Contributions, Scored, ScoringStage
from recsys.ranking import PairContext, RankedItems, Ranker, RetrievedItems
from recsys.retrieval import TWO_TOWER

_HISTORY = 50
"""Largest number of items of a history whose vectors a ranker reads."""


class LearnedRanker(ScoringStage):
    """The score of the bundle's ranker."""

    stage: Literal["ranker"] = "ranker"

    def idle(self, context: FeedContext) -> str:
        """Why nothing is scored."""
        return "" if context.view.ranker is not None else "the bundle has no ranker"

    def run(self, context: FeedContext, candidates: Candidates) -> Scored:
        """The ranker's scores, and the features that it has read."""
        ranked = _rank(context, candidates)[0]
        return Scored(ranked.scores, ranked.table)

    def contributions(
        self, context: FeedContext, candidates: Candidates, positions: Sequence[int]
    ) -> list[Contributions]:
        """The ranker's own explanation of each score."""
        ranked, pair, ranker = _rank(context, candidates)
        names, values = ranked.table.names, ranked.table.values
        found: list[Contributions] = []
        for at in positions:
            own = dict(zip(names, values[at].tolist()))
            parts = ranker.explain(ranked, pair, at)
            found.append({name: (own.get(name), float(part)) for name, part in parts.items()})
        return found


def _rank(context: FeedContext, candidates: Candidates) -> tuple[RankedItems, PairContext, Ranker]:
    view, ranker = context.view, context.view.ranker
    assert ranker is not None
    reads = ranker.reads_vectors
    vectors = candidates.columns.get(f"vectors.{TWO_TOWER}")
    if reads and vectors is None:
        vectors = view.vectors(TWO_TOWER, candidates.rows)
    pair = PairContext(
        context.history,
        context.times,
        context.now,
        context.request.query.terms or "",
        user_vector=context.user_vector() if reads else None,
        history_vectors=view.vectors(TWO_TOWER, context.history[-_HISTORY:]) if reads else None,
    )
    items = RetrievedItems(
        candidates.rows,
        candidates.sources,
        candidates.ranks,
        candidates.source_scores,
        vectors if reads else None,
        {
            name: values
            for name, values in candidates.columns.items()
            if values.ndim == 1 and values.dtype == np.float32
        },
    )
    return ranker.rank(pair, items), pair, ranker
