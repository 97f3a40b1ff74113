"""Feeds of whole pipelines: sources, filters, order, explanations and the choice of a pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recsys.catalogue import catalogue_of_ids
from recsys.config import parse_config
from recsys.errors import ConfigError, InvalidRequestError, NotFoundError
from recsys.feed import (
    Feed,
    FeedConfig,
    FeedRequest,
    FeedResponse,
    FeedView,
    choose,
)
from recsys.feed.filters import Blocked
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.retrieval import Retriever
from recsys_client import Query
from tests.feed.shop import HISTORY, ITEMS, NOW, VECTORS, feed_of, id_of

FEED = feed_of()
ANN = Query(user_id="ann")


def rank(feed: Feed = FEED, query: Query = ANN, **fields: Any) -> FeedResponse:
    return feed.rank(FeedRequest(query, **{"k": 10, "now": NOW, "seed": 1, **fields}))


def absent(id_: str, feed: Feed = FEED, **fields: Any) -> tuple[str, str]:
    response = rank(feed, explain_ids=[id_], **fields)
    assert response.explanation is not None
    (found,) = response.explanation.absent
    return found.stage, found.reason


def sources(response: FeedResponse) -> set[str]:
    return {each.stage for each in response.stages if each.role == "source" and each.returned}


def one_source(stage: str, **values: Any) -> dict[str, Any]:
    return {"sources": [{"stage": stage, **values}], "filters": [], "diversity": []}


def test_a_known_user_has_candidates_of_every_source_that_applies() -> None:
    response = rank(titles=True)
    assert sources(response) == {
        *("two_tower", "similar", "text_neighbours", "popular", "trending", "fresh")
    }
    assert len(response.items) == 10 and response.known_user and not response.degraded
    assert not {id_of(row) for row in HISTORY} & set(response.ids)
    assert response.items[0].title == f"Item {response.ids[0][1:]}"


@pytest.mark.parametrize("query", [Query(user_id="stranger"), Query(), Query(history=["zzz"])])
def test_an_unknown_user_has_a_feed(query: Query) -> None:
    response = rank(query=query)
    assert len(response.items) == 10 and not response.known_user and not response.degraded
    assert sources(response) == {"popular", "trending", "fresh"}


def test_a_history_counts_like_that_of_the_log() -> None:
    history = Query(history=[id_of(row) for row in HISTORY])
    assert rank(query=history).ids == rank().ids


def test_search_terms_find_items_by_their_words() -> None:
    feed = feed_of(default=one_source("terms"))
    assert rank(feed, Query(terms="item12")).ids[0] == "i12"
    assert rank(feed, Query(terms="unheard"), k=1).ids == []


def test_followed_values_blocked_values_and_predicates() -> None:
    feed = feed_of(default={"sources": [{"stage": "followed"}, {"stage": "popular", "k": 60}]})
    response = rank(feed, followed={"brand": ["brand2"]}, blocked={"tags": ["tag0"]})
    assert "followed" in sources(response) and response.ids
    assert all(int(id_[1:]) % 2 and int(id_[1:]) % 3 for id_ in response.ids)
    only = rank(feed, followed={"brand": ["brand2"]}, filter="price >= 40")
    assert set(only.ids) <= {id_of(row) for row in range(40, ITEMS)} and only.ids


def test_values_that_no_item_has_are_reported() -> None:
    given: dict[str, Any] = {
        "blocked": {"brand": ["brand2", "brnad3"], "tags": ["tag9"]},
        "followed": {"brand": ["Brand1"]},
    }
    response = rank(**given, explain=True)
    assert response.explanation is not None and response.ids
    found = {(each.field, each.column, each.value) for each in response.explanation.unknown_values}
    assert found == {
        *(("blocked", "brand", "brnad3"), ("blocked", "tags", "tag9")),
        ("followed", "brand", "Brand1"),
    }
    assert "no item has the blocked value 'brnad3' in the column 'brand'" in response.notes
    assert rank(**given).ids == response.ids and not rank(**given).notes


def test_external_candidates_are_ranked_once_in_the_order_of_their_scores() -> None:
    feed = feed_of(default=one_source("external"))
    given = ["i50", "zzz", "i51", "i50", "i52"]
    assert rank(feed, candidates=given).ids == ["i50", "i51", "i52"]
    assert rank(feed, candidates=given).unknown_candidates == ("zzz",)
    scored = rank(feed, candidates=given, candidate_scores=[1, 9, 2, 8, 3])
    assert scored.ids == ["i52", "i51", "i50"]
    assert [item.sources for item in scored.items] == [("external",)] * 3


def test_pinned_and_promoted_items_have_their_positions() -> None:
    response = rank(pinned=["i50"], promoted=["i51"], k=5)
    slots = {item.id: (item.position, item.slot) for item in response.items}
    assert slots["i50"] == (1, "pinned") and slots["i51"] == (4, "promoted")
    assert "i3" not in rank(pinned=["i3"]).ids  # A pinned item that was seen is not shown.


def test_caps_and_exploration() -> None:
    slate = {"stage": "slate", "limits": [{"column": "brand", "most": 1}]}
    capped = rank(feed_of(default={"slots": [slate]}))
    assert len({int(id_[1:]) % 7 for id_ in capped.ids}) == len(capped.ids) == 7
    assert capped.short is not None and "slate" in capped.short
    explore = {"stage": "slate", "explore": {"positions": [2, 9], "rate": 0.5}}
    feed = feed_of(default={"slots": [explore]})
    drawn = [rank(feed, seed=seed) for seed in range(30)]
    explored = [item for each in drawn for item in each.items if item.slot == "explored"]
    assert {item.position for item in explored} == {2, 9}
    assert all(0 < item.propensity < 0.5 for item in explored)
    assert rank(feed, seed=7).ids == drawn[7].ids


def test_a_filter_may_keep_all_when_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def boom(*_: Any) -> Any:
        raise RuntimeError("boom")

    monkeypatch.setattr(Blocked, "run", boom)
    found = [
        rank(feed_of(default={"filters": [{"stage": "blocked", **keys}]}), exclude=["i50"]).ids
        for keys in ({}, {"on_failure": "keep"})
    ]
    assert not found[0] and len(found[1]) == 10


def test_an_item_is_explained_by_its_sources_stages_and_features() -> None:
    response = rank(explain=True)
    assert response.explanation is not None
    for item, found in zip(response.items, response.explanation.items):
        assert found.id == item.id and item.sources == tuple(each.source for each in found.sources)
        assert [each.stage for each in found.stages] == [
            "merge",
            "blend",
            "diversify",
            "slate",
            "feed",
        ]
        assert found.stages[-1].rank == item.position
        parts = {each.feature: each.contribution for each in found.contributions}
        assert sum(parts.values()) == pytest.approx(item.score, rel=1e-5)
        similar = {each.space: each for each in reversed(found.similar)}["two_tower"]
        row = int(item.id[1:])
        cosines = {id_of(past): float(VECTORS[row] @ VECTORS[past]) for past in HISTORY}
        assert cosines[similar.id] == max(cosines.values())
        assert similar.similarity == pytest.approx(cosines[similar.id], rel=1e-5)


def test_an_absent_item_is_explained_by_the_stage_that_lost_it() -> None:
    assert absent("zzz") == ("catalogue", "the catalogue has no such item")
    feed = feed_of(default={"sources": [{"stage": "external"}], "limit": 50})
    given = [id_of(row) for row in range(ITEMS)]
    for id_, stage, reason, fields in (
        ("i4", "seen", "it is in the user's history", {}),
        ("i9", "blocked", "the request excludes it", {"exclude": ["i9"]}),
        ("i13", "predicate", "it does not fulfil price < 5", {"filter": "price < 5"}),
        ("i7", "same_picture", "its picture looks like that of 'i6'", {}),
        ("i11", "similar_vector", "its vector in 'text' is almost that of 'i10'", {}),
        ("i49", "slate", "all positions were taken by better items", {}),
        ("i55", "merge", "beyond the first 50 merged candidates", {}),
    ):
        found = absent(id_, feed, candidates=given, **fields)
        assert found[0] == stage and reason in found[1]
    response = rank(feed, candidates=given, explain=True)
    assert response.explanation is not None
    stages = {each.stage: each for each in response.stages}
    for each in response.explanation.removed:
        removed = [one for one in response.explanation.removed if one.stage == each.stage]
        stage = stages[each.stage]
        assert sum(one.count for one in removed) == stage.given - stage.returned
    (seen,) = [each for each in response.explanation.removed if each.stage == "seen"]
    assert (seen.reason, seen.count) == ("it is in the user's history", 3)
    assert set(seen.ids) == {id_of(row) for row in HISTORY}
    stage, reason = absent("i4", feed, candidates=["i50"])
    assert stage == "sources" and "the filter seen removes it" in reason


def test_age_and_availability() -> None:
    filters: list[dict[str, Any]] = [
        {"stage": "available", "column": "available"},
        {"stage": "age", "column": "added", "days": 30},
    ]
    feed = feed_of(default={"sources": [{"stage": "external"}], "filters": filters})
    found = rank(feed, candidates=["i20", "i59", "i29", "i45"])
    assert found.ids == ["i29"]
    strict = [{**each, "unknown": "remove"} for each in filters]
    feed = feed_of(default={"sources": [{"stage": "external"}], "filters": strict})
    assert rank(feed, candidates=["i29", "i59"]).ids == ["i29"]
    young = {"stage": "age", "days": 20}
    by_log = feed_of(default={"sources": [{"stage": "external"}], "filters": [young]})
    kept = rank(by_log, candidates=[id_of(row) for row in range(ITEMS)], k=60)
    assert {f"i{row}" for row in range(52, 60)} <= set(kept.ids)  # Never interacted with.


def test_more_positions_than_items() -> None:
    response = rank(k=1_000)
    assert len(set(response.ids)) == len(response.items) < ITEMS
    assert response.short is not None and "positions are empty" in response.short


def test_everything_filtered_is_an_empty_feed() -> None:
    response = rank(filter="price > 1000", explain=True)
    assert response.items == () and not response.degraded and response.short


def test_an_empty_catalogue_has_an_empty_feed() -> None:
    catalogue = catalogue_of_ids([])
    log = Interactions.of(IdMap.of("user", []), catalogue.ids, user=[], item=[], time=[])
    view = FeedView(Retriever(catalogue, log, None, {}))
    response = rank(Feed(view, FEED.feeds), Query(user_id="ann"), candidates=["i1"])
    assert response.ids == [] and response.degraded == ()
    assert response.unknown_candidates == ("i1",)


def test_users_are_divided_by_their_ids() -> None:
    feeds = {"home": FeedConfig(share=0.75), "trial": FeedConfig(), "by_name": FeedConfig(share=0)}
    chosen = [choose(feeds, "", f"user{number}") for number in range(2_000)]
    assert abs(chosen.count("trial") / 2_000 - 0.25) < 0.03 and "by_name" not in chosen
    assert choose(feeds, "by_name", "ann") == "by_name"
    assert choose(feeds, "", None) == "home"
    with pytest.raises(NotFoundError, match="no feed 'hom'.*did you mean 'home'"):
        choose(feeds, "hom", "ann")


def test_a_version_names_everything_but_the_share() -> None:
    assert FeedConfig(share=0.5).version == FeedConfig().version
    assert FeedConfig(limit=7).version != FeedConfig().version


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sources": [{"stage": "populer"}]}, "did you mean 'popular'"),
        (
            {"filters": [{"stage": "seen", "buget_ms": 3}]},
            "did you mean 'filters.0.budget_ms'|budget_ms",
        ),
        ({"sources": [{"stage": "fresh"}, {"stage": "fresh"}]}, "called 'fresh'"),
        ({"filters": [{"stage": "predicate", "filter": "price <"}]}, "filter"),
    ],
)
def test_a_fault_of_a_section_is_reported(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(values, FeedConfig)


def test_an_unknown_column_is_reported_when_the_feed_is_made() -> None:
    with pytest.raises(ConfigError, match="the feed 'home'.*no column 'brnad'.*'brand'"):
        feed_of(home={"filters": [{"stage": "available", "column": "brnad"}]})
    with pytest.raises(ConfigError, match="sum to 1"):
        feed_of(home={"share": 0.5}, trial={"share": 0.6})


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"k": 0}, "k"),
        ({"filter": "brnad = 'x'"}, "filter.eq.column"),
        ({"followed": {"brnad": ["x"]}}, "followed.brnad"),
        ({"query": Query(item_id="i1")}, "query.item_id"),
        ({"query": Query(context={"city": "Rome"})}, "query.context"),
        ({"candidates": ["i1"], "candidate_scores": []}, "candidate_scores"),
    ],
)
def test_bad_input_is_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        rank(**fields)
    assert caught.value.field == field


def test_stages_are_counted() -> None:
    feed = feed_of()
    for _ in range(3):
        rank(feed)
    counted = feed.counts.snapshot()
    assert counted["default", "two_tower", "ok"].runs == 3
    assert counted["default", "terms", "idle"].runs == 3
    assert np.isclose(counted["default", "feed", "ok"].returned, 30)


def test_the_features_of_a_feed_are_those_that_the_scorer_read() -> None:
    ranked = FEED.rank_with_trace(FeedRequest(ANN, k=10, now=NOW, seed=1))
    table = ranked.trace.features()
    assert table is not None and table.names == ("merged", "recent")
    assert table.rows.tolist() == ranked.trace.rows.tolist()
    (blend,) = [each for each in ranked.trace.records if each.stage == "blend"]
    assert blend.after is not None
    known = dict(zip(blend.after.rows.tolist(), blend.after.scores.tolist()))
    sums = table.column("merged") + np.float32(0.03) * table.column("recent")
    assert np.allclose(sums, [known[row] for row in table.rows.tolist()], atol=1e-6)
