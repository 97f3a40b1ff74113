"""Exploring positions of a pipeline: epsilon, and Thompson sampling with counts of a store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.config import parse_config
from recsys.errors import ConfigError
from recsys.feed import Feed, FeedConfig, FeedItem, FeedRequest
from recsys.store import Impression, InteractionRecorded, ShownItems, Store, open_store
from tests.feed.shop import ITEMS, NOW, feed_of, id_of

SHOWN = tuple(id_of(row) for row in range(ITEMS))


def feed_with(**explore: Any) -> Feed:
    slate = {"stage": "slate", "explore": {"positions": [2], "rate": 0.5, **explore}}
    section = {"sources": [{"stage": "external"}], "diversity": [], "slots": [slate]}
    return feed_of(default=section)


def explored(feed: Feed, seeds: int = 200) -> list[FeedItem]:
    request = FeedRequest(candidates=SHOWN, k=5, now=NOW)
    found = [feed.rank(replace(request, seed=seed)).items[1] for seed in range(seeds)]
    return [item for item in found if item.slot == "explored"]


def record(store: Store, number: int, taken: tuple[str, ...]) -> None:
    ones = np.ones(ITEMS, np.float32)
    shown = Impression(f"{number:04}", "ann", 10, SHOWN, ones, ones, ("ranked",) * ITEMS)
    store.record_impressions([shown])
    clicks = [InteractionRecorded("ann", id_, 20, impression_id=shown.request_id) for id_ in taken]
    if clicks:
        store.append(clicks)


def test_thompson_sampling_shows_the_item_with_most_clicks(tmp_path: Path) -> None:
    feed = feed_with(policy="thompson", prior=(1, 4))
    with open_store(tmp_path / "store.db") as store:
        items = ShownItems(store, settled=0)
        for number in range(40):
            record(store, number, ("i30",) if number % 2 else ())
        items.catch_up()
        learned = replace(feed, view=replace(feed.view, shown=items))
        before, after = explored(feed), explored(learned)
    assert len({item.id for item in before}) > 10
    assert {item.id for item in after} == {"i30"} and min(x.propensity for x in after) > 0.45
    assert all(0 < item.propensity < 0.05 for item in before)


def test_counts_of_shown_items_follow_the_store(tmp_path: Path) -> None:
    with open_store(tmp_path / "store.db") as store:
        items, young = ShownItems(store, settled=0), ShownItems(store)
        for number, taken in enumerate([("i1",), (), ("i1", "i2")]):
            record(store, number, taken)
            items.catch_up()
            young.catch_up()
            assert items.counts(["i0", "none"])[0].tolist() == [number + 1, 0]
        assert [each.tolist() for each in items.counts(["i1", "i2", "i0"])] == [
            *([3, 3, 3], [2, 1, 0])
        ]
        assert young.counts(["i1"])[0].tolist() == [0]  # Not older than a minute.


def test_without_a_policy_all_have_the_same_probability() -> None:
    found = explored(feed_with(most=20))
    assert {item.propensity for item in found} == {np.float32(0.5 / 20)}


def test_a_policy_that_does_not_exist_is_reported() -> None:
    slate = {"stage": "slate", "explore": {"positions": [2], "policy": "thomson"}}
    with pytest.raises(ConfigError, match="thompson"):
        parse_config({"slots": [slate]}, FeedConfig)
