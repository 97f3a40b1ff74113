"""Hydrators: values of the candidates that later stages read."""

from __future__ import annotations

from typing import Literal

import numpy as np

from recsys.feed.candidates import Candidates, Columns
from recsys.feed.context import FeedContext
from recsys.feed.stages import Hydrator
from recsys.retrieval import TWO_TOWER


class ItemVectors(Hydrator):
    """Vectors of the candidates, as the column ``vectors.SPACE``.

    Attributes:
        space: Space of the vectors.
    """

    stage: Literal["vectors"] = "vectors"
    space: str = TWO_TOWER

    def idle(self, context: FeedContext) -> str:
        """Why there are no vectors."""
        return "" if context.view.space(self.space) else f"the bundle has no space '{self.space}'"

    def run(self, context: FeedContext, candidates: Candidates) -> Columns:
        """Vectors, float32 ``[n, d]``; zeros where an item has none."""
        return {f"vectors.{self.space}": context.view.vectors(self.space, candidates.rows)}


class ItemCounts(Hydrator):
    """Numbers of interactions, as the columns ``popularity``, ``recent`` and ``trend``."""

    stage: Literal["counts"] = "counts"

    def run(self, context: FeedContext, candidates: Candidates) -> Columns:
        """Logarithms of 1 + the numbers, and the trend, float32 ``[n]``."""
        statistics, rows = context.view.statistics, candidates.rows
        counts = {"popularity": statistics.popularity, "recent": statistics.recent}
        return {
            **{name: np.log1p(statistics.of_rows(each, rows)) for name, each in counts.items()},
            "trend": statistics.of_rows(statistics.trend, rows),
        }


__all__ = ["ItemCounts", "ItemVectors"]
