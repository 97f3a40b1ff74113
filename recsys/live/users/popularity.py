"""Popularity of the items of a snapshot: the log of the bundle and recorded interactions."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys.ids import Rows
from recsys.interactions import Interactions
from recsys.live.users.histories import DELETED, EventLog, Times, unknown_numbers
from recsys.retrieval.popularity import Counts, InteractionTotals, ItemStatistics, Popular

_SECONDS_PER_ITEM = 1e-6
"""Age up to which statistics are used again, per item: sorting costs a twentieth of it."""


class RecordedInteractions:
    """Totals of all interactions per item, brought up to date when they are read; thread-safe.

    The interactions of deleted users do not count, nor do those with an unknown item until it is
    known. Times after the present count as the present, so that no single one makes all others old.

    Args:
        log: Log of the bundle.
        events: Events since.

    Example:
        >>> from recsys.ids import IdMap
        >>> users, items = IdMap.of("user", ["ann"]), IdMap.of("item", ["lamp", "rug"])
        >>> log = Interactions.of(users, items, user=[0], item=[1], time=[10])
        >>> events = EventLog()
        >>> events.append("bob", item=1, time=20, sequence=1)
        >>> RecordedInteractions(log, events).counts(length=1, size=2).tolist()
        [0, 2]
    """

    def __init__(self, log: Interactions, events: EventLog) -> None:
        self._events, self._known = events, len(log.items)
        self._timed = log.clock == "timestamp"
        self._lock = threading.Lock()
        self._totals, self._unknown = InteractionTotals.of(log), InteractionTotals.none(0)
        self._log_end, self._done = self._totals.end, 0
        self._last: tuple[int, float, ItemStatistics] | None = None

    def counts(self, length: int, size: int) -> Counts:
        """Number of interactions after the first ``length`` events, int64 ``[size]``."""
        return self._totals_at(length, size).counts

    def statistics(self, length: int, size: int) -> ItemStatistics:
        """Statistics after the first ``length`` events.

        Of n items they are up to n microseconds old, since sorting them takes a share of that.
        """
        if (last := self._last) is not None:
            done, made, found = last
            is_young = time.monotonic() - made < _SECONDS_PER_ITEM * size
            if len(found) == size and (done == length or (done < length and is_young)):
                return found
        totals = self._totals_at(length, size)
        found = ItemStatistics.from_totals(totals, self._known, timed=self._timed)
        self._last = length, time.monotonic(), found
        return found

    def _totals_at(self, length: int, size: int) -> InteractionTotals:
        with self._lock:
            if length > self._done:
                self._add(self._totals, self._unknown, self._done, length, 1)
                self._done = length
            totals, unknown = self._totals.copy(), self._unknown.copy()
            if length < self._done:  # a snapshot older than the last one that was read
                self._add(totals, unknown, length, self._done, -1)
        totals.resize(size)
        unknown.move_to(totals.end)
        for number in np.flatnonzero(unknown.counts).tolist():
            row = self._events.later.get(number, size)
            if row < size:
                totals.counts[row] += unknown.counts[number]
                totals.recent[row] += unknown.recent[number]
                totals.first[row] = min(totals.first[row], unknown.first[number])
        return totals

    def total(self, length: int) -> int:
        """Number of interactions after at least the first ``length`` events, of any item."""
        with self._lock:
            if length > self._done:
                self._add(self._totals, self._unknown, self._done, length, 1)
                self._done = length
            return int(self._totals.counts.sum() + self._unknown.counts.sum())

    def _add(
        self,
        totals: InteractionTotals,
        unknown: InteractionTotals,
        first: int,
        last: int,
        sign: int,
    ) -> None:
        """Add the events from ``first`` to before ``last``, or take them away."""
        events = self._events
        items = np.array(events.item[first:last], np.int32)
        times = np.array(events.time[first:last], np.int64)
        self._count(totals, unknown, items, times, sign)
        for event in (first + np.flatnonzero(items == DELETED)).tolist():
            self._count(totals, unknown, *events.deleted_by(event), -sign)

    def _count(
        self,
        totals: InteractionTotals,
        unknown: InteractionTotals,
        items: Rows,
        times: Times,
        sign: int,
    ) -> None:
        """Count items as the events have them: known and unknown ones."""
        if not self._timed:
            times = np.zeros_like(times)
        times = np.minimum(times, int(max(time.time(), self._log_end)))
        known, others = items >= 0, items < DELETED
        for each, rows, at in (
            (totals, items[known], times[known]),
            (unknown, unknown_numbers(items[others]), times[others]),
        ):
            each.add(rows, at, sign)
        totals.move_to(unknown.end)


@dataclass(frozen=True, eq=False)
class LivePopularity(Popular):
    """Popularity of the items of one snapshot, counted on first use.

    Attributes:
        recorded: Totals that all snapshots of an engine share.
        length: Number of events that the snapshot includes.
        size: Number of its item rows.

    Example:
        >>> from recsys.ids import IdMap
        >>> items = IdMap.of("item", ["lamp"])
        >>> log = Interactions.of(IdMap.of("user", []), items, user=[], item=[], time=[])
        >>> recorded = RecordedInteractions(log, EventLog())
        >>> LivePopularity(recorded, length=0, size=1).counts.tolist()
        [0]
    """

    recorded: RecordedInteractions
    length: int
    size: int

    @cached_property
    def counts(self) -> Counts:  # type: ignore[override]  # written once, as any attribute
        """Number of interactions per item, int64 ``[size]``."""
        return self.recorded.counts(self.length, self.size)

    @cached_property
    def statistics(self) -> ItemStatistics:  # type: ignore[override]
        """Statistics of the items; see :meth:`RecordedInteractions.statistics`."""
        return self.recorded.statistics(self.length, self.size)
