"""The plain blend: the place in the merged lists, and recent popularity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from recsys.feed.candidates import Candidates
from recsys.feed.context import FeedContext
from recsys.feed.stages import Contributions, Scored, ScoringStage
from recsys.ids import Vectors
from recsys.ranking import FeatureTable

_CONSTANT = 60.0
"""The best merged score of one source of weight 1 is 1 / 61."""


class Blend(ScoringStage):
    """The merged score, and a share of the logarithm of the recent popularity.

    Attributes:
        recent: Weight of the logarithm of 1 + the number of recent interactions, which is scaled so
            that the largest of the candidates is 1.
    """

    stage: Literal["blend"] = "blend"
    recent: float = Field(0.03, ge=0)

    def run(self, context: FeedContext, candidates: Candidates) -> Scored:
        """The weighted sum, and its two terms without the weight as features."""
        merged, recent = self._parts(context, candidates)
        values = np.stack([merged, recent], axis=1).astype(np.float32)
        table = FeatureTable(("merged", "recent"), values, candidates.rows)
        return Scored(merged + self.recent * recent, table)

    def contributions(
        self, context: FeedContext, candidates: Candidates, positions: Sequence[int]
    ) -> list[Contributions]:
        """The two terms of the sum."""
        merged, recent = self._parts(context, candidates)
        return [
            {
                "merged": (float(merged[at]), float(merged[at])),
                "recent": (float(recent[at]), float(self.recent * recent[at])),
            }
            for at in positions
        ]

    def _parts(self, context: FeedContext, candidates: Candidates) -> tuple[Vectors, Vectors]:
        statistics = context.view.statistics
        recent = np.log1p(statistics.of_rows(statistics.recent, candidates.rows))
        highest = max(float(np.max(recent, initial=0)), 1e-30)
        merged = candidates.scores * np.float32(_CONSTANT + 1)
        return merged, (recent / np.float32(highest)).astype(np.float32)
