"""Sources that are the same for every user: popular, trending and fresh items."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from recsys.feed.candidates import Retrieved
from recsys.feed.context import FeedContext
from recsys.feed.stages import Source
from recsys.ids import Rows
from recsys.retrieval.popularity import ItemOrder


class Popular(Source):
    """Items with the most recent interactions; scores are their weighted numbers."""

    stage: Literal["popular"] = "popular"
    k: int = Field(50, ge=1, le=10_000)
    weight: float = Field(0.01, ge=0)

    def run(self, context: FeedContext) -> Retrieved:
        """The first items of the order."""
        statistics = context.view.statistics
        rows = _first(context, statistics.popular, self.k)
        return Retrieved(rows, statistics.recent[rows])


class Trending(Source):
    """Items whose share of the recent interactions exceeds their share of all by most."""

    stage: Literal["trending"] = "trending"
    k: int = Field(50, ge=1, le=10_000)
    weight: float = Field(0.01, ge=0)

    def run(self, context: FeedContext) -> Retrieved:
        """The first items of the order."""
        statistics = context.view.statistics
        rows = _first(context, statistics.trending, self.k)
        return Retrieved(rows, statistics.trend[rows])


class Fresh(Source):
    """New items: those added since the bundle, the latest first, then those whose first interaction
    is the latest."""

    stage: Literal["fresh"] = "fresh"
    k: int = Field(20, ge=1, le=10_000)
    weight: float = Field(0.005, ge=0)

    def run(self, context: FeedContext) -> Retrieved:
        """The first items of the order; scores descend by one."""
        rows = _first(context, context.view.statistics.fresh, self.k)
        return Retrieved(rows, -np.arange(len(rows), dtype=np.float32))


def _first(context: FeedContext, order: ItemOrder, k: int) -> Rows:
    return context.view.first_of(order, k, hidden=context.hidden, allowed=context.allowed)
