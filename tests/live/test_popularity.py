"""Totals of recorded interactions: those of a log that holds all of them."""

from __future__ import annotations

import time

import numpy as np

from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.live.users.histories import EventLog
from recsys.live.users.popularity import RecordedInteractions
from recsys.retrieval.popularity import ItemOrder, ItemStatistics

DAY = 86_400
USERS, ITEMS = IdMap.of("user", ["ann", "bob"]), [f"i{row}" for row in range(6)]
LOGGED = [(0, 0, 1), (0, 1, 2), (1, 1, 5), (1, 2, 40)]
"""User, item and day of the bundle's interactions."""


def log_of(entries: list[tuple[int, int, int]], items: int) -> Interactions:
    users, rows, days = np.array(entries).T
    known = IdMap.of("item", ITEMS[:items])
    return Interactions.of(USERS, known, user=users, item=rows, time=days * DAY)


def same(found: ItemStatistics, entries: list[tuple[int, int, int]]) -> None:
    expected = ItemStatistics.of(log_of(entries, len(ITEMS)))
    assert found.popularity.tolist() == expected.popularity.tolist()
    share = [each.recent / each.recent.sum() for each in (found, expected)]
    assert np.allclose(*share, rtol=1e-5)
    assert found.popular.first(9).tolist() == expected.popular.first(9).tolist()
    assert found.trending.first(9).tolist() == expected.trending.first(9).tolist()


def test_statistics_are_those_of_a_log_with_the_events() -> None:
    events = EventLog()
    recorded = RecordedInteractions(log_of(LOGGED, 4), events)
    more = [(1, 3, 41), (0, 4, 50), (0, 0, 45)]
    for number, (user, item, day) in enumerate(more):
        row = None if item == 4 else item
        name = USERS.id(user)
        events.interact(name, ITEMS[item], row, time=day * DAY, sequence=number + 1)
        if number == 0:
            same(recorded.statistics(1, 6), LOGGED + more[:1])
    same(recorded.statistics(3, 6), LOGGED + [each for each in more if each[1] != 4])
    events.add_item("i4", 4)
    again = RecordedInteractions(log_of(LOGGED, 4), events)
    same(again.statistics(3, 6), LOGGED + more)
    assert again.statistics(3, 6).fresh.first(6).tolist()[:2] == [5, 4]
    events.delete_user("ann", sequence=4, logged=log_of(LOGGED, 4).find("ann"))
    left = [each for each in LOGGED + more if each[0] == 1]
    found = again.statistics(4, 6)
    assert found.popularity.tolist() == ItemStatistics.of(log_of(left, 6)).popularity.tolist()
    assert found.popular.first(6).tolist() == [3, 2, 1]
    same(again.statistics(3, 6), LOGGED + more)


def test_one_time_in_the_future_does_not_make_the_others_old() -> None:
    events, now = EventLog(), int(time.time())
    recorded = RecordedInteractions(log_of(LOGGED, 4), events)
    for number in range(3):
        events.append("bob", item=3, time=now, sequence=number)
    events.append("bob", item=2, time=2**61, sequence=4)
    assert recorded.statistics(4, 4).popular.first(4).tolist()[:2] == [3, 2]


def test_old_interactions_still_order_the_items() -> None:
    statistics = ItemStatistics.of(log_of([*LOGGED, (0, 3, 20_000)], 6))
    assert statistics.popular.first(6).tolist() == [3, 1, 0, 2]


def test_an_order_is_sorted_as_far_as_it_is_read() -> None:
    keys = np.random.default_rng(0).integers(0, 3_000, 20_000).astype(np.float64)
    keys[::7] = -np.inf
    order = ItemOrder(keys)
    whole = np.argsort(-keys, kind="stable")[: np.isfinite(keys).sum()]
    for n in (5, 1_024, 1_025, 9_000, 30_000):
        found = order.first(n)
        assert len(found) >= min(n, len(whole))
        assert found.tolist() == whole[: len(found)].tolist()
    assert len(order) == len(whole)
