"""Recent activity in a snapshot: the users of an item, and the users that were active last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.ids import Rows
from recsys.live.users.histories import DELETED, LiveHistories, Times, unknown_item

DAY = 86_400
"""Seconds of a day; days begin at midnight UTC."""
_NO_TIME = np.iinfo(np.int64).min


@dataclass(frozen=True)
class UserActivity:
    """Interactions of a user, with any item or with one.

    Attributes:
        user_id: Id of the user.
        interactions: Number of interactions.
        last: Time of the last one in seconds since 1970; None where the log has no times.

    Example:
        >>> UserActivity("ann", interactions=2, last=20).last
        20
    """

    user_id: str
    interactions: int
    last: int | None


@dataclass(frozen=True, eq=False)
class ItemActivity:
    """Interactions with an item, counted.

    Attributes:
        interactions: Number of interactions.
        users: Number of users who had them.
        first_day: Begin of the first day of ``days``, in seconds since 1970.
        days: Number of interactions per day, int64 ``[n]``; those without a time count in none.

    Example:
        >>> ItemActivity(3, 2, 0, np.array([1, 2])).days.tolist()
        [1, 2]
    """

    interactions: int
    users: int
    first_day: int
    days: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Activity:
    """The interactions of all users at one moment, by item and by time.

    Attributes:
        histories: Histories of the users at this moment.

    Example:
        >>> from recsys.ids import IdMap
        >>> from recsys.interactions import Interactions
        >>> from recsys.live.users.histories import EventLog
        >>> users, items = IdMap.of("user", ["ann"]), IdMap.of("item", ["lamp", "rug"])
        >>> log = Interactions.of(users, items, user=[0], item=[1], time=[10])
        >>> events = EventLog()
        >>> events.append("bob", item=1, time=20, sequence=1)
        >>> activity = Activity(LiveHistories(log, events, 1, n_users=2, size=2))
        >>> [each.user_id for each in activity.users_of(item=1, most=5)]
        ['bob', 'ann']
    """

    histories: LiveHistories

    def of_item(self, item: int, *, days: int, now: float) -> ItemActivity:
        """Interactions with an item, counted over the last days, today included.

        Args:
            item: Row of the item.
            days: Number of days.
            now: Time in seconds since 1970.
        """
        log, owners = self.histories.log, self.histories.events.owners
        logged, events = self._logged(item), self._events(item)
        times = np.concatenate([self._log_times()[logged], self._event_times()[events]])
        first_day = (int(now // DAY) - days + 1) * DAY
        day = (times[times >= first_day] - first_day) // DAY
        names = {owners[each] for each in np.unique(self._owner()[events]).tolist()}
        rows = np.unique(log.user[logged])
        known = {log.users.row(name) for name in names if name in log.users}
        return ItemActivity(
            len(times),
            len(names) + len(rows) - int(np.isin(rows, list(known)).sum()),
            first_day,
            np.bincount(day[day < days], minlength=days).astype(np.int64),
        )

    def users_of(self, item: int, most: int) -> list[UserActivity]:
        """Users of an item by their last interaction with it, the latest first."""
        logged, events = self._logged(item), self._events(item)
        rows, at = _latest(self.histories.log.user[logged], self._log_times()[logged])
        owners, since = _latest(self._owner()[events], self._event_times()[events])
        return self._found(rows[_top(at, most)], owners, since, most, item)

    def recent_users(self, most: int) -> list[UserActivity]:
        """Users by their last interaction, the latest first."""
        log = self.histories.log
        rows = np.flatnonzero(log.active_users).astype(np.int32)
        rows = rows[~np.isin(rows, self._deleted_rows())]
        at = self._log_times()[log.offsets[rows + 1] - 1] if len(rows) else np.empty(0, np.int64)
        events = np.flatnonzero(self._valid())
        owners, since = _latest(self._owner()[events], self._event_times()[events])
        return self._found(rows[_top(at, most)], owners, since, most, None)

    def _found(
        self, rows: Rows, owners: Rows, since: Times, most: int, item: int | None
    ) -> list[UserActivity]:
        """The activity of users of the log, and of the latest of those with events.

        Args:
            rows: Users of the log, the latest ones.
            owners: Users with events.
            since: Time of the last event of each.
            most: Largest number of users.
            item: Row of the item whose interactions count; None for all items.
        """
        names, top = self.histories.events.owners, _top(since, most)
        recorded = {names[each]: at for each, at in zip(owners[top].tolist(), since[top].tolist())}
        found = []
        for user_id in dict.fromkeys([*recorded, *self.histories.log.users.ids(rows)]):
            history = self.histories.find(user_id)
            if history is None:
                continue
            kept = slice(None) if item is None else history.items == item
            if count := len(history.items[kept]):
                last = recorded.get(user_id)
                if history.times is not None:
                    last = int(history.times[kept][-1])
                found.append(UserActivity(user_id, count, last))
        found.sort(key=lambda each: _NO_TIME if each.last is None else each.last, reverse=True)
        return found[:most]

    def _logged(self, item: int) -> Rows:
        """Positions in the log of a bundle's interactions with an item, without deleted users."""
        log = self.histories.log
        found = np.flatnonzero(log.item == item)
        return found[~np.isin(log.user[found], self._deleted_rows())].astype(np.int32)

    def _events(self, item: int) -> Rows:
        """Events of interactions with an item that no deletion has ended."""
        items, later = self._items(), self.histories.events.later
        same = items == item
        for number in [number for number, row in list(later.items()) if row == item]:
            same |= items == unknown_item(number)
        return np.flatnonzero(same & self._valid()).astype(np.int32)

    def _valid(self) -> npt.NDArray[np.bool_]:
        """Whether each event is an interaction that no deletion has ended."""
        items, owner = self._items(), self._owner()
        deletions = np.flatnonzero(items == DELETED)
        if not len(deletions):
            return np.ones(len(items), np.bool_)
        ended = np.full(int(owner.max()) + 1, -1, np.int64)
        ended[owner[deletions]] = deletions  # the last one of each user stays
        return np.arange(len(items)) > ended[owner]

    def _deleted_rows(self) -> Rows:
        """Rows in the log of users that were deleted since."""
        users, owners = self.histories.log.users, self.histories.events.owners
        gone = np.unique(self._owner()[self._items() == DELETED]).tolist()
        names = [owners[each] for each in gone if owners[each] in users]
        return np.array([users.row(name) for name in names], np.int32)

    def _items(self) -> Rows:
        return np.array(self.histories.events.item[: self.histories.length], np.int32)

    def _owner(self) -> Rows:
        return np.array(self.histories.events.owner[: self.histories.length], np.int32)

    def _event_times(self) -> Times:
        return np.array(self.histories.events.time[: self.histories.length], np.int64)

    def _log_times(self) -> Times:
        log = self.histories.log
        return log.time if log.clock == "timestamp" else np.full(len(log), _NO_TIME)


def _latest(keys: Rows, times: Times) -> tuple[Rows, Times]:
    """Distinct keys, and the largest time of each."""
    size = int(keys.max(initial=-1)) + 1
    last, has_one = np.full(size, _NO_TIME), np.zeros(size, np.bool_)
    np.maximum.at(last, keys, times)
    has_one[keys] = True
    found = np.flatnonzero(has_one).astype(np.int32)
    return found, last[found]


def _top(times: Times, most: int) -> Rows:
    """Positions of the largest times, at most ``most``."""
    if len(times) <= most:
        return np.arange(len(times), dtype=np.int32)
    return np.argpartition(times, len(times) - most)[-most:].astype(np.int32)
