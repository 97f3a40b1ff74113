"""Filters of what the user has seen or does not want."""

from __future__ import annotations

from typing import Literal

import numpy as np

from recsys.feed.candidates import Candidates
from recsys.feed.context import FeedContext
from recsys.feed.stages import Filter, Filtered


class Seen(Filter):
    """Removes the items of the history, unless the request includes them.

    An item that is shown again does no harm, so that a failure keeps all.
    """

    stage: Literal["seen"] = "seen"

    def idle(self, context: FeedContext) -> str:
        """Why nothing is removed."""
        return "" if context.request.seen == "exclude" else "the request includes seen items"

    def run(self, context: FeedContext, candidates: Candidates) -> Filtered:
        """Candidates that are not in the history."""
        kept = ~np.isin(candidates.rows, context.history)
        return Filtered(kept, "it is in the user's history")


class Blocked(Filter):
    """Removes the excluded items of the request, and those with a value that it blocks.

    A user must not see what they have blocked, so that a failure removes all.
    """

    stage: Literal["blocked"] = "blocked"
    on_failure: Literal["remove", "keep"] = "remove"

    def idle(self, context: FeedContext) -> str:
        """Why nothing is removed."""
        if len(context.excluded) or context.blocked is not None:
            return ""
        return "the request excludes and blocks nothing"

    def run(self, context: FeedContext, candidates: Candidates) -> Filtered:
        """Candidates that are neither excluded nor blocked."""
        kept = ~np.isin(candidates.rows, context.excluded)
        if context.blocked is not None:
            kept &= ~context.blocked.mask[candidates.rows]
        return Filtered(kept, "the request excludes it, or blocks one of its values")
