"""Feeds for a server: those of the live world, with a ranker, and without time budgets."""

from __future__ import annotations

from typing import Any

from recsys.feed import Feed, FeedConfig, FeedView, ItemStatistics
from recsys.interactions import Interactions
from recsys.ranking import LinearScorer, Ranker, Statistics
from recsys.ranking.inputs.feature_set import default_features
from tests.feed.shop import without_budgets
from tests.live.world import made_parts

SOURCES = ("two_tower", "similar", "popular", "external")


def live_feed(**values: Any) -> Feed:
    """Feeds over the bundle of ``tests.live.world``, whose ranker reads every kind of feature."""
    retriever = made_parts().retriever
    log = retriever.log
    assert isinstance(log, Interactions)
    weights = {name: 0.1 for name in default_features(SOURCES)} | {"popularity": 0.3}
    ranker = Ranker.of(LinearScorer.of_weights(weights), Statistics.of(log))
    view = FeedView(retriever, ItemStatistics.of(log), ranker=ranker)
    return Feed(view, {"home": without_budgets(FeedConfig.model_validate(values))})
