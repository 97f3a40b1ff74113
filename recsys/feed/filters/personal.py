"""Filters of what the user has seen or does not want."""

from __future__ import annotations

from typing import Literal

import numpy as np

from recsys.feed.candidates import Candidates
from recsys.feed.context import FeedContext
from recsys.feed.stages import Filter, Filtered


class Seen(Filter):
    """Removes the items of the history, unless the request includes them."""

    stage: Literal["seen"] = "seen"

    def idle(self, context: FeedContext) -> str:
        """Why nothing is removed."""
        return "" if context.request.seen == "exclude" else "the request includes seen items"

    def run(self, context: FeedContext, candidates: Candidates) -> Filtered:
        """Candidates that are not in the history."""
        kept = ~np.isin(candidates.rows, context.history)
        return Filtered(kept, "it is in the user's history")


class Blocked(Filter):
    """Removes the excluded items of the request, and those with a value that it blocks."""

    stage: Literal["blocked"] = "blocked"

    def run(self, context: FeedContext, candidates: Candidates) -> Filtered:
        """Candidates that are neither excluded nor blocked."""
        kept = ~np.isin(candidates.rows, context.excluded)
        if context.blocked is not None:
            kept &= ~context.blocked.mask[candidates.rows]
        return Filtered(kept, "the request excludes it, or blocks one of its values")
