"""Popularity of the items of a snapshot: the log of the bundle and recorded interactions."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys.interactions import Interactions
from recsys.live.users.histories import DELETED, EventLog, unknown_number
from recsys.retrieval.popularity import Counts, Popular


class RecordedCounts:
    """Number of interactions per item, brought up to date when it is read; thread-safe.

    The interactions of deleted users do not count, nor do those with an unknown item until it is
    known.

    Args:
        log: Log of the bundle.
        events: Events since.

    Example:
        >>> from recsys.ids import IdMap
        >>> users, items = IdMap.of("user", ["ann"]), IdMap.of("item", ["lamp", "rug"])
        >>> log = Interactions.of(users, items, user=[0], item=[1], time=[10])
        >>> events = EventLog()
        >>> events.append("bob", item=1, time=20, sequence=1)
        >>> RecordedCounts(log, events).at(length=1, size=2).tolist()
        [0, 2]
    """

    def __init__(self, log: Interactions, events: EventLog) -> None:
        self._events = events
        self._lock = threading.Lock()
        self._counts: Counts = log.item_counts.copy()
        self._unknown = Counter[int]()
        self._done = 0

    def at(self, length: int, size: int) -> Counts:
        """Counts after the first ``length`` events, int64 ``[size]``."""
        with self._lock:
            if length > self._done:
                self._counts = self._add(self._counts, self._unknown, self._done, length, 1)
                self._done = length
            counts, unknown = self._counts.copy(), self._unknown.copy()
            if length < self._done:  # a snapshot older than the last one that was read
                counts = self._add(counts, unknown, length, self._done, -1)
        found = np.zeros(size, np.int64)
        found[: len(counts)] = counts[:size]
        for number, count in unknown.items():
            row = self._events.later.get(number, size)
            if row < size:
                found[row] += count
        return found

    def _add(
        self, counts: Counts, unknown: Counter[int], first: int, last: int, sign: int
    ) -> Counts:
        """Counts with those of the events from ``first`` to before ``last``, times ``sign``."""
        events = self._events
        items = np.array(events.item[first:last], np.int32)
        rows = [items[items >= 0]]
        signs = [np.full(len(rows[0]), sign)]
        for number in map(unknown_number, items[items < DELETED].tolist()):
            unknown[number] += sign
        for event in (first + np.flatnonzero(items == DELETED)).tolist():
            gone = events.deleted_by(event)
            rows.append(gone[gone >= 0])
            signs.append(np.full(len(rows[-1]), -sign))
            for number in map(unknown_number, gone[gone < DELETED].tolist()):
                unknown[number] -= sign
        row, change = np.concatenate(rows), np.concatenate(signs)
        size = max(len(counts), int(row.max(initial=-1)) + 1)
        found = np.zeros(size, np.int64)
        found[: len(counts)] = counts
        np.add.at(found, row, change)
        return found


@dataclass(frozen=True, eq=False)
class LivePopularity(Popular):
    """Popularity of the items of one snapshot, counted on first use.

    Attributes:
        recorded: Counts that all snapshots of an engine share.
        length: Number of events that the snapshot includes.
        size: Number of its item rows.

    Example:
        >>> from recsys.ids import IdMap
        >>> items = IdMap.of("item", ["lamp"])
        >>> log = Interactions.of(IdMap.of("user", []), items, user=[], item=[], time=[])
        >>> LivePopularity(RecordedCounts(log, EventLog()), length=0, size=1).counts.tolist()
        [0]
    """

    recorded: RecordedCounts
    length: int
    size: int

    @cached_property
    def counts(self) -> Counts:  # type: ignore[override]  # written once, as any attribute
        """Number of interactions per item, int64 ``[size]``."""
        return self.recorded.at(self.length, self.size)
