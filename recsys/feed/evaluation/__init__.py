"""Offline evaluation of a feed: the figures of every stage, and a page of feeds."""

from __future__ import annotations

from recsys.feed.evaluation.evaluating import FeedEvaluation, SampleFeed, evaluate_feed
from recsys.feed.evaluation.page import FIGURES, PAGE, write_feed_page

__all__ = ["FIGURES", "PAGE", "FeedEvaluation", "SampleFeed", "evaluate_feed", "write_feed_page"]
