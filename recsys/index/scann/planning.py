"""Choice of the way to answer each query, by its estimated cost.

The plan of a query depends on nothing else in its batch.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy as np

from recsys.index.arguments import Exclusions, SearchArguments
from recsys.index.building.costs import SearchCost
from recsys.index.curve import Curve, Setting
from recsys.index.leaves.calibration import LeafMisses
from recsys.index.leaves.scan import LeafScan
from recsys.index.rows import RowSet

_EXACT, _EXACT_PER_HIT = 60, 3
"""Number of exact scores of a leaf scan, and per hit."""
_LAST = 1.2
"""Ratio of the rank of a setting to the middle of the ranks needed: a setting is tuned to the mean
recall of the ranks above one half of its own, of which the middle is three quarters of it."""
_COUNTS_LISTED = [0, *sorted({math.ceil(2 ** (step / 4)) for step in range(125)})]
_COUNTS = np.array(_COUNTS_LISTED)
"""Numbers to which those of excluded rows are rounded up, so that few plans cover a batch."""
_KEPT = 1024
"""Number of plans that are kept."""
_UNEVEN = 4
"""Number of rows that a filter whose rows are not spread evenly over the leaves makes a scan read,
relative to one whose rows are. Measured on a million rows: 2 to 8, and 40 for the farthest half."""
_EXCLUDING = 2
"""Number of rows that a scan reads when the nearest are excluded, relative to one without."""
_MATRIX_SHARE = 4
"""A depth above a quarter of the rows costs more than a comparison of all."""


@dataclass(frozen=True, eq=False)
class Plan:
    """How some queries of a batch are answered.

    Attributes:
        name: "exact", "leaves" or "scann".
        queries: Positions of the queries, int64; None where they are not yet known.
        setting: Leaves and depth of ScaNN.
        misses: Expected misses of a leaf scan, per hit.
    """

    name: Literal["exact", "leaves", "scann"]
    queries: Any
    setting: Setting | None = None
    misses: float = 1.0

    def of(self, queries: Any) -> Plan:
        """The same plan for the queries at the positions."""
        return Plan(self.name, queries, self.setting, self.misses)


@dataclass(frozen=True, eq=False)
class Planner:
    """Plans from the measurements of the index.

    Attributes:
        curve: Settings of ScaNN by rank.
        misses: Expected misses of a leaf scan by rank.
        cost: Estimate of the duration of both.
        scan: The leaf scan.
    """

    curve: Curve
    misses: LeafMisses
    cost: SearchCost
    scan: LeafScan
    _kept: dict[tuple[int, int, float], Plan] = field(default_factory=dict)
    _filters: WeakKeyDictionary[RowSet, dict[int, Plan]] = field(default_factory=WeakKeyDictionary)

    def plans(self, arguments: SearchArguments) -> Iterator[Plan]:
        """The plans of a batch; each query is in one of them."""
        items, eligible = self.curve.items, arguments.eligible(self.curve.items)
        k, everyone = arguments.k, np.arange(len(arguments))
        if not eligible or not len(arguments):
            return
        plain = self._plan(k, k, arguments.effort)
        if plain.name == "exact" or k * _MATRIX_SHARE > eligible:
            yield Plan("exact", everyone)
        elif arguments.allowed is not None:
            yield self._filtered(arguments.allowed, k).of(everyone)
        elif not len(arguments.excluded.rows):
            yield self._plan(k, math.ceil(k * items / eligible), arguments.effort).of(everyone)
        else:
            for excluded, queries in _by_count(arguments.excluded, everyone):
                rank = math.ceil((k + excluded) * items / eligible)
                yield self._plan(k, rank, arguments.effort).of(queries)

    def _plan(self, k: int, rank: int, effort: float) -> Plan:
        """The plan of a query without a filter that needs rows down to ``rank``; kept."""
        key = k, rank, effort
        plan = self._kept.get(key)
        if plan is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            choose = self._choose_plain if rank == k else self._choose_tail
            plan = self._kept[key] = choose(*key)
        return plan

    def _choose_plain(self, k: int, _: int, effort: float) -> Plan:
        setting = self._setting(k, effort, tail=False)
        if self.curve.fixed is not None:
            return Plan("exact" if self._is_complete(setting) else "scann", None, setting)
        if self._prefers_scan(k, k, setting):
            return Plan("leaves", None, misses=self.misses.at(k, rows="plain"))
        return Plan("scann", None, setting)

    def _choose_tail(self, k: int, rank: int, effort: float) -> Plan:
        tuned = max(rank, math.ceil(_LAST * (rank - k / 2)))
        setting = self._setting(tuned, effort, tail=True)
        if self._prefers_scan(k, rank, setting):
            return Plan("leaves", None, misses=self.misses.at(k, rows="excluded"))
        return Plan("scann", None, setting)

    def _filtered(self, allowed: RowSet, k: int) -> Plan:
        """The plan of a query with a filter; kept as long as the set lives."""
        plans = self._filters.setdefault(allowed, {})
        plan = plans.get(k)
        if plan is None:
            plan = plans[k] = self._choose_filtered(allowed, k)
        return plan

    def _choose_filtered(self, allowed: RowSet, k: int) -> Plan:
        eligible, items = len(allowed), self.curve.items
        seconds = self.cost.exact_seconds(eligible)
        if seconds <= self._scan_seconds(k, 0, eligible, groups=0):
            return Plan("exact", None)
        groups = self.scan.groups(allowed)
        read = self.misses.read(min(math.ceil(k * items / eligible), items)) * eligible / items
        read = min(read if groups.even else _UNEVEN * read, eligible)
        if seconds <= self._scan_seconds(k, read, eligible, len(groups.leaves)):
            return Plan("exact", None)
        misses = self.misses.at(k, rows="even" if groups.even else "others")
        return Plan("leaves", None, misses=misses)

    def _setting(self, rank: int, effort: float, *, tail: bool) -> Setting:
        return self.curve.setting(min(rank, self.curve.items), effort=effort, tail=tail)

    def _is_complete(self, setting: Setting) -> bool:
        every = setting.leaves == self.curve.num_leaves
        return every or setting.depth * _MATRIX_SHARE > self.curve.items

    def _prefers_scan(self, k: int, rank: int, setting: Setting) -> bool:
        """Whether ScaNN misses the target for ``rank`` rows, or takes longer than a scan."""
        read = self.misses.read(rank) * (1 if rank == k else _EXCLUDING)
        seconds = self._scan_seconds(k, read, self.curve.items)
        return self._is_complete(setting) or seconds < self._scann_seconds(setting)

    def _scann_seconds(self, setting: Setting) -> float:
        return self.cost.seconds(setting.leaves, setting.depth)

    def _scan_seconds(self, k: int, read: float, rows: int, groups: int | None = None) -> float:
        """Estimate for a scan that reads some of a number of rows; groups are all the leaves."""
        groups = self.curve.num_leaves if groups is None else groups
        exact = _EXACT + _EXACT_PER_HIT * k
        return self.cost.scan_seconds(groups, min(groups * read / rows, groups), read, exact)


def _by_count(excluded: Exclusions, everyone: Any) -> Iterator[tuple[int, Any]]:
    """Numbers of excluded rows, rounded up, each with the positions of its queries."""
    if len(everyone) == 1:  # The same, sooner.
        yield _COUNTS_LISTED[bisect_left(_COUNTS_LISTED, len(excluded.rows))], everyone
        return
    counts = _COUNTS[np.searchsorted(_COUNTS, excluded.counts)]
    for count in set(counts.tolist()):
        yield count, np.flatnonzero(counts == count)
