"""Sources that the request names: followed values, candidates of another system, fixed items."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from recsys.feed.candidates import Retrieved
from recsys.feed.context import FeedContext
from recsys.feed.stages import Source
from recsys.retrieval.popularity import ItemOrder


class Followed(Source):
    """Items with an attribute value that the user follows, those with most recent interactions
    first."""

    stage: Literal["followed"] = "followed"
    weight: float = Field(0.3, ge=0)

    def idle(self, context: FeedContext) -> str:
        """Why there are no such items."""
        return "" if context.followed is not None else "the request follows no values"

    def run(self, context: FeedContext) -> Retrieved:
        """The items with a followed value."""
        assert context.followed is not None
        view, rows = context.view, context.followed.rows
        recent = view.statistics.of_rows(view.statistics.recent, rows)
        order = ItemOrder(recent, rows)
        found = view.first_of(order, self.k, hidden=context.hidden, allowed=context.allowed)
        return Retrieved(found, view.statistics.of_rows(view.statistics.recent, found))


class External(Source):
    """The candidates of the request; without scores, a score is minus the position."""

    stage: Literal["external"] = "external"
    k: int = Field(1_000, ge=1, le=10_000)

    def idle(self, context: FeedContext) -> str:
        """Why there are none."""
        return "" if len(context.given) else "the request has no candidates"

    def run(self, context: FeedContext) -> Retrieved:
        """The candidates, by their scores or in their order."""
        rows, scores = context.given, context.given_scores
        if scores is None:
            return Retrieved(rows, -np.arange(len(rows), dtype=np.float32))
        order = np.argsort(-scores, kind="stable")
        return Retrieved(rows[order], scores[order])


class Pinned(Source):
    """The pinned and promoted items of the request, so that they are among the candidates."""

    stage: Literal["pinned"] = "pinned"
    weight: float = Field(0.0, ge=0)

    def idle(self, context: FeedContext) -> str:
        """Why there are none."""
        given = len(context.pinned) + len(context.promoted)
        return "" if given else "the request has no pinned or promoted items"

    def run(self, context: FeedContext) -> Retrieved:
        """Pinned items, then promoted ones; scores are minus the position."""
        rows = np.concatenate([context.pinned, context.promoted])
        return Retrieved(rows, -np.arange(len(rows), dtype=np.float32))
