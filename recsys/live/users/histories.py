"""Histories of users: the log of a bundle, and the interactions recorded since."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyroaring import FrozenBitMap

from recsys.ids import IdMap, Rows
from recsys.index.rows import bitmap_of_rows
from recsys.interactions import Interactions, UserHistory

DELETED, _FIRST_UNKNOWN = -1, -2
_NO_ROWS = np.empty(0, np.int32)
Times = npt.NDArray[np.int64]


class EventLog:
    """Events of users in the order of the store, linked per user; it only grows.

    A writer appends; a reader holds a length, below which nothing changes. So a snapshot of all
    histories is one number, and readers need no lock.

    Attributes:
        item: Item row of each event; -1 where the user is deleted, and -2 - n for the n-th id that
            was unknown.
        time: Seconds since 1970 of each event.
        sequence: Sequence number of each event in the store.
        older: Event before this one of the same user; -1 without one.
        owner: Position in ``owners`` of the user of each event.
        owners: Ids of the users with an event, in the order of their first one.
        newest: Last event per id of a user.
        unknown: Number of each item id that was unknown when an event named it.
        later: Row per number of an id that became known.
        erased: Item rows and times of the bundle's interactions that a deletion ended, by its
            event.

    Example:
        >>> events = EventLog()
        >>> events.append("ann", item=3, time=20, sequence=1)
        >>> events.last("ann", len(events)), events.last("ann", 0), events.last("bob", 1)
        (0, -1, -1)
    """

    def __init__(self) -> None:
        self.item, self.time = array("i"), array("q")
        self.sequence, self.older = array("q"), array("q")
        self.owner, self.owners = array("i"), list[str]()
        self.newest: dict[str, int] = {}
        self.unknown: dict[str, int] = {}
        self.later: dict[int, int] = {}
        self.erased: dict[int, tuple[Rows, Times]] = {}

    def __len__(self) -> int:
        return len(self.older)

    def interact(
        self, user_id: str, item_id: str, row: int | None, *, time: int, sequence: int
    ) -> None:
        """Add an interaction with an item, whose row is None where it is unknown."""
        if row is None:
            row = _FIRST_UNKNOWN - self.unknown.setdefault(item_id, len(self.unknown))
        self.append(user_id, item=row, time=time, sequence=sequence)

    def add_item(self, item_id: str, row: int) -> None:
        """Let earlier events that named an unknown id be of the item of a row."""
        if item_id in self.unknown:
            self.later[self.unknown[item_id]] = row

    def append(self, user_id: str, *, item: int, time: int, sequence: int) -> None:
        """Add an event of a user; only one thread may write."""
        self.item.append(item)
        self.time.append(time)
        self.sequence.append(sequence)
        before = self.newest.get(user_id, -1)
        if before < 0:
            self.owners.append(user_id)
        self.owner.append(self.owner[before] if before >= 0 else len(self.owners) - 1)
        self.older.append(before)
        self.newest[user_id] = len(self.older) - 1  # The last, as readers begin here.

    def delete_user(
        self, user_id: str, *, sequence: int, logged: UserHistory | None = None
    ) -> None:
        """End a user's history, which begins again with the next interaction.

        ``logged`` is the history of the user in the bundle.
        """
        if logged is not None:
            times = np.zeros(len(logged.items), np.int64) if logged.times is None else logged.times
            self.erased[len(self)] = logged.items, times
        self.append(user_id, item=DELETED, time=0, sequence=sequence)

    def state(self, user_id: str) -> bool | None:
        """Whether the newest event of a user is an interaction; None without an event."""
        event = self.newest.get(user_id, -1)
        return None if event < 0 else self.item[event] != DELETED

    def last(self, user_id: str, length: int) -> int:
        """The last of the first ``length`` events of a user; -1 without one."""
        event, older = self.newest.get(user_id, -1), self.older
        while event >= length:
            event = older[event]
        return event

    def deleted_by(self, event: int) -> tuple[Rows, Times]:
        """Items, as ``item`` has them, and times of what the deletion of a user has ended."""
        items, older = self.item, self.older
        found: list[int] = []
        before = older[event]
        while before >= 0 and items[before] != DELETED:
            found.append(before)
            before = older[before]
        rows = np.array([items[each] for each in found], np.int32)
        times = np.array([self.time[each] for each in found], np.int64)
        if before < 0 and event in self.erased:
            logged = self.erased[event]
            rows, times = np.concatenate([rows, logged[0]]), np.concatenate([times, logged[1]])
        return rows, times

    def since_deletion(self, event: int) -> tuple[Rows, Times, bool]:
        """Items and times up to an event, oldest first, and whether a deletion is before them.

        An item that is unknown has the row -1.
        """
        items, times, older = self.item, self.time, self.older
        found: list[int] = []
        while event >= 0 and items[event] != DELETED:
            found.append(event)
            event = older[event]
        found.reverse()
        rows = np.array([items[each] for each in found], np.int32)
        for at in np.flatnonzero(rows <= _FIRST_UNKNOWN).tolist():
            rows[at] = self.later.get(_FIRST_UNKNOWN - int(rows[at]), -1)
        return rows, np.array([times[each] for each in found], np.int64), event >= 0


def unknown_item(number: int) -> int:
    """Item row of events that name the unknown id of a number."""
    return _FIRST_UNKNOWN - number


def unknown_numbers(items: Rows) -> Rows:
    """Numbers of unknown ids, from the items of the events that named them."""
    found: Rows = _FIRST_UNKNOWN - items
    return found


@dataclass(frozen=True, eq=False)
class LiveHistories:
    """The histories of all users at one moment.

    Attributes:
        log: Log of the bundle.
        events: Events since the bundle, shared by all snapshots.
        length: Number of these events that this moment includes.
        n_users: Number of known users.
        size: Number of item rows; later rows are in no history.
        absent: Rows of deleted items, which are in no history.

    Example:
        >>> users, items = IdMap.of("user", ["ann"]), IdMap.of("item", ["lamp", "rug"])
        >>> log = Interactions.of(users, items, user=[0], item=[1], time=[10])
        >>> events = EventLog()
        >>> events.append("ann", item=0, time=20, sequence=1)
        >>> before, after = (LiveHistories(log, events, length, 1, size=2) for length in (0, 1))
        >>> before.find("ann").items.tolist(), after.find("ann").items.tolist()
        ([1], [1, 0])
    """

    log: Interactions
    events: EventLog
    length: int
    n_users: int
    size: int
    absent: FrozenBitMap = FrozenBitMap()

    @property
    def context(self) -> Mapping[str, IdMap]:
        """Values of each context column of the bundle's log."""
        return self.log.context

    def find(self, user_id: str) -> UserHistory | None:
        """The history of a user, or None for an unknown or deleted user."""
        event = self.events.last(user_id, self.length)
        if event < 0:
            known = self.log.find(user_id)
            return None if known is None else self._present(known)
        if self.events.item[event] == DELETED:
            return None
        items, times, is_new = self.events.since_deletion(event)
        known_items = (items >= 0) & (items < self.size)
        items, times = items[known_items], times[known_items]
        before = None if is_new else self.log.find(user_id)
        return self._present(_joined(before, items, times, timed=self.log.clock == "timestamp"))

    def sequence(self, user_id: str) -> int:
        """Sequence number of the user's last change in the store; 0 if it is in the bundle."""
        event = self.events.last(user_id, self.length)
        return self.events.sequence[event] if event >= 0 else 0

    def _present(self, history: UserHistory) -> UserHistory:
        """The history without absent items."""
        items, times = history.items, history.times
        if not self.absent or not len(items) or self.absent.isdisjoint(bitmap_of_rows(items)):
            return history
        keep = np.array([row not in self.absent for row in items.tolist()], np.bool_)
        return UserHistory(history.user, items[keep], None if times is None else times[keep])


def _joined(before: UserHistory | None, items: Rows, times: Times, *, timed: bool) -> UserHistory:
    """The history of a bundle and recorded interactions in the order of their times.

    Equal times keep the order of recording. Positions of a bundle's log come before all times.
    """
    if before is None:
        before = UserHistory(None, _NO_ROWS, None)
    if timed and before.times is not None:
        items = np.concatenate([before.items, items])
        times = np.concatenate([before.times, times])
    if len(times) > 1 and (times[1:] < times[:-1]).any():
        order = np.argsort(times, kind="stable")
        items, times = items[order], times[order]
    if timed:
        return UserHistory(before.user, items, times)
    return UserHistory(before.user, np.concatenate([before.items, items]), None)
