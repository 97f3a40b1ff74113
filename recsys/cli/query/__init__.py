"""``recsys query``, candidates for requests; ``recsys feed``; and ``recsys describe``."""

from __future__ import annotations

from recsys.cli.query.command import query
from recsys.cli.query.describe import describe
from recsys.cli.query.feed import feed
from recsys.cli.query.feed_evaluation import evaluate_feed

__all__ = ["describe", "evaluate_feed", "feed", "query"]
