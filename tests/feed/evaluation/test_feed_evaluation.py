"""A feed on held-out queries: figures per stage, and the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import InvalidRequestError
from recsys.feed import Feed, FeedRequest, Pipeline, RankedFeed
from recsys.feed.evaluation import FeedEvaluation, evaluate_feed, write_feed_page
from recsys.files import read_json
from recsys.interactions import Interactions
from recsys.ranking import LinearScorer, Ranker, Statistics
from recsys.splits.held_out import HeldOutQueries
from tests.feed.shop import DAY, HISTORY, ITEMS, NOW, feed_of


@pytest.fixture(scope="module")
def evaluated() -> FeedEvaluation:
    rng = np.random.default_rng(0)
    queries = HeldOutQueries.of(
        user=[0] * 8,
        histories=[list(HISTORY)] * 8,
        targets=[rng.choice(np.arange(6, ITEMS), 2, replace=False).tolist() for _ in range(8)],
    )
    queries = replace(queries, time=np.full(8, NOW))
    return evaluate_feed(feed_of(), queries, k=20, ks=(5, 20), attribute="brand", resamples=50)


def test_every_stage_is_measured_and_the_last_is_the_feed(evaluated: FeedEvaluation) -> None:
    roles = [each.role for each in evaluated.stages]
    assert roles[0] == "source" and "merge" in roles and "scorer" in roles and "slots" in roles
    merged = evaluated.stages[roles.index("merge")]
    found = [each.figures["found"] for each in evaluated.stages if each.role == "source"]
    assert max(found) <= merged.figures["found"] <= min(sum(found), 1)
    assert evaluated.stages[-1].figures["items"] == 20
    assert evaluated.figures["recall@20"] == evaluated.stages[-1].figures["found"]
    for before, after in zip(evaluated.stages[len(found) :], evaluated.stages[len(found) + 1 :]):
        gap = after.figures["ndcg@5"] - before.figures["ndcg@5"]
        assert after.changes["ndcg@5"][0] == pytest.approx(gap)


def test_variety_is_measured_at_the_first_k(evaluated: FeedEvaluation) -> None:
    assert {"diversity@5", "calibration@5", "gini@5", "coverage@5"} <= set(evaluated.variety)


def test_the_page_shows_feeds_and_their_figures(evaluated: FeedEvaluation, tmp_path: Path) -> None:
    catalogue = feed_of().view.retriever.catalogue
    write_feed_page(tmp_path, evaluated, catalogue)
    page = (tmp_path / "feeds.html").read_text()
    for text in ("two_tower", "ndcg@5", "diversity@5", "History, oldest first", "Item 3"):
        assert text in page
    found = read_json(tmp_path / "feeds.json")
    assert found["stages"][-1]["figures"]["ndcg@5"] == evaluated.figures["ndcg@5"]


def test_no_stage_reads_the_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    moment, seen = NOW - 100 * DAY, list[int]()
    queries = HeldOutQueries.of(user=[0], histories=[list(HISTORY)], targets=[[1]])
    feed = feed_of()
    log = feed.view.retriever.log
    assert isinstance(log, Interactions)
    ranker = Ranker.of(LinearScorer.of_weights({"popularity": 1.0}), Statistics.of(log))
    ranked = Feed.rank_with

    def watch(self: Feed, request: FeedRequest, pipeline: Pipeline) -> RankedFeed:
        assert self.view.ranker is not None
        seen.extend(
            int(each.popularity.sum())
            for each in (self.view.statistics, self.view.ranker.features.statistics)
        )
        return ranked(self, request, pipeline)

    monkeypatch.setattr(Feed, "rank_with", watch)
    evaluate_feed(
        replace(feed, view=replace(feed.view, ranker=ranker)),
        replace(queries, time=np.array([moment])),
        resamples=10,
    )
    assert seen == [int((log.time < moment).sum())] * 2 and seen[0] < len(log)


def test_refusals_state_the_remedy() -> None:
    queries = HeldOutQueries.of(user=[0], histories=[[]], targets=[[1]])
    with pytest.raises(InvalidRequestError, match="no pipeline 'best'; pipelines: "):
        evaluate_feed(feed_of(), queries, pipeline="best")
