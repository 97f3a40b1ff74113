"""``FeedService``: the feeds of the library over gRPC, recorded and labelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recsys.feed import Feed, RankedFeed
from recsys.feed.describing import describe_pipelines
from recsys.feed.sources import Popular
from recsys.ids import IdMap
from recsys.ranking import FeatureTable, PairContext, RankedItems, Ranker, RetrievedItems
from recsys.ranking.learning import fit_logistic, read_training_table
from recsys.store import (
    ImpressionQueue,
    export_impressions,
    impression_table,
    open_store,
    read_impressions,
)
from recsys_client import AsyncRecsysClient, Interaction, Item, Query, RecsysClient
from recsys_client.errors import InvalidRequestError, NotFoundError, RecsysError, ServiceError
from recsys_client.feed import FeedRequest, FeedResponse, PipelineDescription
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from tests.feed.shop import HISTORY, NOW, feed_of, id_of
from tests.server.feed_world import live_feed, world
from tests.server.service_world import WAIT, served, until

ANN = Query(user_id="ann")
FEED = feed_of(home={}, fresh={"share": 0.0, "sources": [{"stage": "fresh"}]})
REQUESTS = {
    "user": FeedRequest(ANN, titles=True),
    "visitor": FeedRequest(k=3),
    "history": FeedRequest(Query(history=[*map(id_of, HISTORY), "?"]), exclude=["i9", "none"]),
    "terms": FeedRequest(Query(user_id="ann", terms="item12"), filter="price < 30"),
    "columns": FeedRequest(ANN, blocked={"tags": ["tag0"]}, followed={"brand": ["brand1"]}),
    "given": FeedRequest(ANN, candidates=["i50", "?", "i51"], candidate_scores=[1.5, 2.0, 0.1]),
    "pinned": FeedRequest(ANN, pinned=["i40"], promoted=["i41"], seen="include"),
    "explained": FeedRequest(ANN, k=5, explain_ids=["i3", "i20", "none"]),
    "pipeline": FeedRequest(ANN, pipeline="fresh", k=1_000),
}


@pytest.fixture(scope="module")
def client() -> Iterator[RecsysClient]:
    loaded = LoadedBundle("v1", FEED.view.retriever, feed=FEED)
    with (
        served(Rollout(Deployment(loaded))) as running,
        RecsysClient(running.address, timeout=WAIT) as client,
    ):
        yield client


def timeless(response: FeedResponse) -> FeedResponse:
    return replace(response, stages=tuple(replace(each, seconds=0.0) for each in response.stages))


@pytest.mark.parametrize("name", REQUESTS)
def test_a_feed_over_the_wire_is_that_of_the_library(client: RecsysClient, name: str) -> None:
    request = replace(REQUESTS[name], now=NOW, seed=7)
    expected = timeless(FEED.rank(request))
    assert expected.items
    assert timeless(client.rank_feed(request)) == expected

    async def rank() -> FeedResponse:
        async with AsyncRecsysClient(client.address, timeout=WAIT) as other:
            return await other.rank_feed(request)

    assert timeless(asyncio.run(rank())) == expected


def test_pipelines_are_described_with_their_stages(client: RecsysClient) -> None:
    expected = describe_pipelines(FEED.feeds)
    assert client.list_pipelines() == client.with_bundle("active").list_pipelines() == expected
    assert sum(each.share for each in expected) == 1
    for each in expected:
        stages = FEED.feeds[each.name].pipeline(each.name)
        assert [stage.stage for stage in each.stages] == [stage.title for stage in stages]

    async def read() -> list[PipelineDescription]:
        async with AsyncRecsysClient(client.address, timeout=WAIT) as other:
            return await other.list_pipelines()

    assert asyncio.run(read()) == expected
    with pytest.raises(NotFoundError, match="the bundle 'v9' does not answer"):
        client.with_bundle("v9").list_pipelines()


@pytest.mark.parametrize(
    ("values", "kind", "field"),
    [
        ({"k": 0}, InvalidRequestError, "k"),
        ({"k": 1_001}, InvalidRequestError, "k"),
        ({"pipeline": "none"}, NotFoundError, "pipeline"),
        ({"filter": "colour = 'red'"}, InvalidRequestError, "filter"),
        ({"blocked": {"colour": ["red"]}}, InvalidRequestError, "blocked.colour"),
        ({"query": Query(item_id="i1")}, InvalidRequestError, "query.item_id"),
        ({"candidates": ["i1"], "candidate_scores": [1, 2]}, InvalidRequestError, None),
    ],
)
def test_errors_are_those_of_the_library(
    client: RecsysClient, values: dict[str, Any], kind: type[RecsysError], field: str | None
) -> None:
    request = FeedRequest(**values)
    raised = []
    for call in (FEED.rank, client.rank_feed):
        with pytest.raises(kind) as caught:
            call(request)
        raised.append((caught.value.message, caught.value.field))
    assert raised[0] == raised[1]
    assert field is None or raised[0][1].startswith(field)


def test_a_feed_is_recorded_labelled_and_deleted_with_its_user(tmp_path: Path) -> None:
    with world(tmp_path / "store.db", live_feed()) as made:
        first = made.client.rank_feed(FeedRequest(ANN, k=4, now=1_000))
        assert first.request_id and not first.degraded
        until(lambda: read_impressions(made.store))
        (shown,) = read_impressions(made.store)
        assert (shown.request_id, shown.user_id, shown.time) == (first.request_id, "ann", 1_000)
        assert shown.item_ids == tuple(first.ids) and shown.history == ("i1", "i2")
        assert shown.scores.tolist() == [item.score for item in first.items]
        assert shown.propensities.tolist() == [item.propensity for item in first.items]
        assert shown.features.shape == (4, len(shown.feature_names)) and shown.pipeline == "home"
        assert '"user_id": "ann"' in shown.request
        taken = first.ids[1]
        clicked = Interaction("ann", taken, event="click", impression_id=first.request_id)
        made.client.record_interactions([clicked])
        assert made.client.get_history("ann").interactions[-1].impression_id == first.request_id
        assert taken not in made.client.rank_feed(FeedRequest(ANN, k=4)).ids
        operator = made.client.with_bundle("active")
        assert operator.rank_feed(FeedRequest(ANN, k=4)).request_id == ""  # it is not recorded
        until(lambda: len(read_impressions(made.store)) == 2)
        table = impression_table(made.store)
        labels = dict(zip(table["item_id"].to_pylist()[:4], table["taken"].to_pylist()))
        assert labels == {item: item == taken for item in first.ids}
        made.client.delete_user("ann")
        assert read_impressions(made.store) == []
        counted = made.metrics
        assert counted.number("recsys_impressions", "written").value == 2
        assert counted.number("recsys_feed_stages", "home", "ranker", "ok").value == 3
        assert counted.histogram("recsys_feed_stage_seconds", "home", "popular").sum > 0
        assert counted.number("recsys_feed_slots", "home", "ranked").value == 12
        assert counted.number("recsys_feed_items", "home", "two_tower").value > 0


def test_a_feed_that_cannot_be_recorded_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImpressionQueue, "add", lambda queue, impression: False)
    with world(tmp_path / "store.db", live_feed()) as made:
        response = made.client.rank_feed(FeedRequest(ANN, k=4))
        assert len(response.items) == 4 and response.request_id == ""
        assert made.metrics.number("recsys_impressions", "refused").value == 1


def test_the_end_of_a_service_records_the_feeds_that_wait(tmp_path: Path) -> None:
    with world(tmp_path / "store.db", live_feed()) as made:
        ids = [made.client.rank_feed(FeedRequest(k=2)).request_id for _ in range(3)]
    with open_store(tmp_path / "store.db") as store:
        assert [each.request_id for each in read_impressions(store)] == sorted(ids)


def test_an_abandoned_feed_is_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, rank = threading.Event(), Feed.rank_with_trace

    def slow(feed: Feed, request: FeedRequest, **options: Any) -> RankedFeed:
        assert request.k == 4 or gate.wait(WAIT)
        return rank(feed, request, **options)

    monkeypatch.setattr(Feed, "rank_with_trace", slow)
    with world(tmp_path / "store.db", live_feed()) as made:
        with pytest.raises(ServiceError, match="in time"):
            made.client.with_timeout(0.3).rank_feed(FeedRequest(ANN, k=3))
        gate.set()
        ids = [made.client.rank_feed(FeedRequest(ANN, k=4)).request_id]
    with open_store(tmp_path / "store.db") as store:
        assert [each.request_id for each in read_impressions(store)] == ids


def test_recorded_interactions_count_in_the_next_feed(tmp_path: Path) -> None:
    feed = live_feed(sources=[{"stage": "popular"}], scorers=[{"stage": "blend"}])
    with world(tmp_path / "store.db", feed) as made:
        before = made.client.rank_feed(FeedRequest(k=20)).ids
        last = before[-1]
        made.client.record_interactions([Interaction(f"u{n}", last, 2_000) for n in range(9)])
        assert made.client.rank_feed(FeedRequest(k=20)).ids[0] == last
        made.client.upsert_items([Item("new", "a new lamp")])
        made.client.record_interactions([Interaction("u1", "new", 2_000 + n) for n in range(20)])
        assert made.client.rank_feed(FeedRequest(k=20)).ids[0] == "new"


def test_a_slow_source_leaves_time_before_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    monkeypatch.setattr(Popular, "run", lambda source, context: gate.wait(WAIT))
    with world(tmp_path / "store.db", live_feed()) as made:
        response = made.client.with_timeout(2.0).rank_feed(FeedRequest(ANN, k=4))
        gate.set()
    assert response.degraded == ("popular",) and len(response.items) == 4
    (report,) = [each for each in response.stages if each.stage == "popular"]
    assert report.status == "late" and "remaining time" in report.message


def test_a_ranker_trains_on_the_values_that_were_served(tmp_path: Path) -> None:
    served_tables: list[FeatureTable] = []
    live = live_feed()
    ranker = live.view.ranker
    assert ranker is not None
    watched = replace(live, view=replace(live.view, ranker=Watched.of(ranker, served_tables)))
    with world(tmp_path / "store.db", watched) as made:
        requests = [
            FeedRequest(Query(user_id="ann"), k=3, now=1_000, seed=1),
            FeedRequest(Query(history=["i3", "i6"]), k=5, now=1_001, candidates=["i1"], seed=2),
            FeedRequest(Query(user_id="bob", terms="3"), k=4, now=1_002, seed=3),
        ]
        responses = [made.client.rank_feed(request) for request in requests]
        clicks = [
            Interaction("ann", each.ids[-1], 1_010, impression_id=each.request_id)
            for each in responses
        ]
        made.client.record_interactions(clicks)
    file = tmp_path / "shown.parquet"
    with open_store(tmp_path / "store.db") as store:
        assert export_impressions(store, file) == {"impressions": 3, "items": 12, "taken": 3}
    items = live.view.retriever.catalogue.ids
    assert isinstance(items, IdMap)
    table = read_training_table(file, items)
    assert (table.requests, len(table), table.taken.sum()) == (3, 12, 3)
    assert table.names == ranker.scorer.features
    for at, (response, request) in enumerate(zip(responses, requests)):
        rows = items.rows(response.ids)
        shown = slice(table.offsets[at], table.offsets[at + 1])
        assert table.rows[shown].tolist() == rows.tolist()
        assert table.taken[shown].tolist() == [False] * (len(rows) - 1) + [True]
        # The values that the scorer read, and those of the library from the same request.
        again = live.rank_with_trace(request).trace.features()
        assert again is not None and again.rows.tolist() == rows.tolist()
        scored = served_tables[at]
        positions = [scored.rows.tolist().index(row) for row in rows.tolist()]
        recorded = table.values[shown]
        assert recorded.tobytes() == scored.values[positions].tobytes() == again.values.tobytes()
    assert table.histories.bag(1).tolist() == [3, 6]
    scorer = fit_logistic(table)
    assert scorer.features == table.names


class Watched(Ranker):
    """A ranker that keeps the tables which it has scored."""

    tables: list[FeatureTable]

    @classmethod
    def of(cls, ranker: Ranker, tables: list[FeatureTable]) -> Watched:  # type: ignore[override]
        made = cls(ranker.features, ranker.scorer, ranker.calibration)
        object.__setattr__(made, "tables", tables)
        return made

    def rank(self, context: PairContext, items: RetrievedItems) -> RankedItems:
        found = super().rank(context, items)
        self.tables.append(found.table)
        return found
