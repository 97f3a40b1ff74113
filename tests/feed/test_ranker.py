"""The learned ranker of a bundle as a stage of a feed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.feed import Feed, FeedConfig, FeedRequest, FeedResponse
from recsys.interactions import Interactions
from recsys.ranking import LinearScorer, Ranker, Statistics
from recsys_client import Query
from tests.feed.shop import HISTORY, VECTORS, retriever, view, without_budgets

PLAIN = {"default": without_budgets(FeedConfig(diversity=()))}


def ranked(weights: dict[str, float], feeds: dict[str, FeedConfig] = PLAIN) -> FeedResponse:
    log = retriever().log
    assert isinstance(log, Interactions)
    ranker = Ranker.of(LinearScorer.of_weights(weights), Statistics.of(log))
    feed = Feed(replace(view(), ranker=ranker), feeds)
    return feed.rank(FeedRequest(Query(user_id="ann"), k=8, explain=True))


def test_the_ranker_determines_the_order_and_explains_it() -> None:
    response = ranked({"vector.last": 2.0, "popularity": 0.0})
    cosines = [float(VECTORS[int(id_[1:])] @ VECTORS[HISTORY[-1]]) for id_ in response.ids]
    assert cosines == sorted(cosines, reverse=True) and not response.degraded
    assert response.explanation is not None
    for item, cosine, found in zip(response.items, cosines, response.explanation.items):
        assert item.score == pytest.approx(2 * cosine, abs=1e-5)
        first = found.contributions[0]
        assert first.feature == "vector.last"
        assert first.value == pytest.approx(cosine, abs=1e-5)
        assert "ranker" in [each.stage for each in found.stages]


def test_the_blend_orders_when_the_ranker_fails() -> None:
    response = ranked({"a column that no hydrator gives": 1.0})
    assert response.degraded == ("ranker",)
    assert response.ids == Feed(view(), PLAIN).rank(FeedRequest(Query(user_id="ann"), k=8)).ids


def test_counts_of_a_hydrator_are_features() -> None:
    section = {"hydrators": [{"stage": "counts"}], "diversity": []}
    feeds = {"default": without_budgets(FeedConfig.model_validate(section))}
    response = ranked({"recent": -1.0}, feeds)
    recent = view().statistics.recent
    found = [recent[int(id_[1:])] for id_ in response.ids]
    assert not response.degraded and np.all(np.diff(found) >= -1e-6)
