"""The activity of items and users is that of the histories, one by one."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import numpy as np
import pytest
from pyroaring import FrozenBitMap

from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.live.users.activity import DAY, Activity
from recsys.live.users.histories import EventLog, LiveHistories

USERS = [f"u{number}" for number in range(6)]
ITEMS = IdMap.of("item", [f"i{number}" for number in range(4)])


def made(seed: int, clock: Literal["timestamp", "position"]) -> LiveHistories:
    """Histories of a log and of random events: known and unknown items, and deletions."""
    random = np.random.default_rng(seed)
    log = Interactions.of(
        IdMap.of("user", USERS[:3]),
        ITEMS,
        user=random.integers(0, 3, 12),
        item=random.integers(0, 4, 12),
        time=random.integers(0, 5 * DAY, 12),
        clock=clock,
    )
    events = EventLog()
    for sequence in range(40):
        user, item = USERS[random.integers(0, 6)], int(random.integers(0, 6))
        if random.random() < 0.15:
            events.delete_user(user, sequence=sequence, logged=log.find(user))
        else:
            row = item if item < 4 else None
            time = int(random.integers(0, 6 * DAY))
            events.interact(user, f"i{item}", row, time=time, sequence=sequence)
    events.add_item("i4", 4)
    return LiveHistories(log, events, 35, n_users=6, size=5, absent=FrozenBitMap())


@pytest.mark.parametrize("clock", ["timestamp", "position"])
@pytest.mark.parametrize("seed", range(6))
def test_activity_is_that_of_all_histories(
    seed: int, clock: Literal["timestamp", "position"]
) -> None:
    histories = made(seed, clock)
    activity, known = Activity(histories), {}
    for user in USERS:
        found = histories.find(user)
        if found is not None and len(found.items):
            known[user] = found
    recent = activity.recent_users(most=10)
    assert {each.user_id: each.interactions for each in recent} == {
        user: len(history.items) for user, history in known.items()
    }
    times = [each.last for each in recent if each.last is not None]
    assert times == sorted(times, reverse=True)
    if clock == "timestamp":
        last = {user: int(each.times[-1]) for user, each in known.items() if each.times is not None}
        assert {each.user_id: each.last for each in recent} == last
        assert activity.recent_users(most=2) == recent[:2]
    for item in range(5):
        counts = Counter({user: int((each.items == item).sum()) for user, each in known.items()})
        users = activity.users_of(item, most=10)
        assert {each.user_id: each.interactions for each in users} == dict(+counts)
        total = activity.of_item(item, days=6, now=5.5 * DAY)
        assert (total.interactions, total.users) == (counts.total(), len(+counts))
        assert len(total.days) == 6 and total.first_day == 0
        if clock == "timestamp":
            assert total.days.sum() == total.interactions
            at = np.concatenate(
                [
                    each.times[each.items == item]
                    for each in known.values()
                    if each.times is not None
                ]
            )
            assert total.days.tolist() == np.bincount(at // DAY, minlength=6).tolist()
