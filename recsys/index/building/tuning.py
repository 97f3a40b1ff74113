"""Find, per rank cutoff, the cheapest leaves and depth with which an index reaches its target.

Partitions and codes are built once and only the search varies. The settings are chosen on half of
the sampled queries and verified on the other half, for every kind of query.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from recsys.ids import Vectors
from recsys.index.building.choice import cutoff_curve
from recsys.index.building.costs import SearchCost
from recsys.index.building.sample import Queries, QuerySample
from recsys.index.building.sweep import Propose, RankRange, Sweep, sweep
from recsys.index.curve import Curve, CurvePoint, CutoffCurve

CUTOFFS = (1, 3, 10, 30, 100, 300, 1_000)
"""Ranks for which an index is tuned."""
_SHARE = 8
"""A cutoff is at most this part of the rows."""
_FEW_RANKS = 30
"""Cutoffs above need fewer queries, since each query counts many ranks."""
_FEWER, _FEWEST = 4, 200
_DEEPER = 8
"""Depth measured at first, relative to the last cutoff; a second attempt goes as much deeper."""
_LEAVES_STEP = 1.3
_FINER = (0.84, 0.92)
"""Numbers of leaves tried at last, relative to the tuned ones."""
_ENOUGH = 1.5
"""Duration, relative to the longest tuned one, at which no more leaves are tried."""


@dataclass(frozen=True, eq=False)
class TunedPart:
    """The parts of an index that its tuning searches.

    Attributes:
        vectors: Indexed vectors, float32 ``[n, d]``.
        propose: Candidates for a number of leaves and a depth.
        cost: Sizes for the estimate of a search's duration.
        target: Share of the exact answer that must be found.
    """

    vectors: Vectors
    propose: Propose
    cost: SearchCost
    target: float

    def tune(
        self, queries: Queries | None, count: int, *, ranks: Sequence[int] | None = None
    ) -> Curve:
        """The curve for about ``count`` typical queries, or vectors where ``queries`` is None.

        Args:
            queries: float32 ``[q, d]``, or several kinds of them by name.
            count: Number of queries to use.
            ranks: Rising cutoffs; by default ``cutoffs(n)``.
        """
        ranks = cutoffs(len(self.vectors)) if ranks is None else ranks
        low = [rank for rank in ranks if rank <= _FEW_RANKS]
        high = [rank for rank in ranks if rank > _FEW_RANKS]
        plain: list[CutoffCurve] = []
        tail: list[CutoffCurve] = []
        for group, number in ((low, count), (high, max(count // _FEWER, min(count, _FEWEST)))):
            if not group:
                continue
            sample = QuerySample.of(self.vectors, queries, number, ranks=group[-1] + 1)
            first = plain[-1].tuned_point.leaves // 2 if plain else 1
            ranges = [RankRange(rank, after) for rank in group for after in (0, rank // 2)]
            curves = self._curves(sample, ranges, first)
            plain += curves[::2]
            tail += curves[1::2]
        return Curve(self.cost.num_leaves, len(self.vectors), tuple(plain), tuple(tail))

    def _curves(
        self, sample: QuerySample, ranges: Sequence[RankRange], first: int
    ) -> list[CutoffCurve]:
        items = len(self.vectors)
        depth = min(items, max(_DEEPER * ranges[-1].last, 256))
        while True:
            curves = self._sweep(sample, ranges, first, depth)
            if None not in curves or depth == items:
                return [curve or self._complete(each) for each, curve in zip(ranges, curves)]
            depth = min(items, _DEEPER * depth)

    def _sweep(
        self, sample: QuerySample, ranges: Sequence[RankRange], first: int, depth: int
    ) -> list[CutoffCurve | None]:
        sweeps: dict[int, Sweep] = {}

        def measure(leaves: int) -> list[CutoffCurve | None]:
            sweeps[leaves] = sweep(sample, self.vectors, self.propose, leaves, depth, ranges)
            done = sorted(sweeps.values(), key=lambda each: each.leaves)
            return [cutoff_curve(sample, done, self.cost, each, self.target) for each in ranges]

        curves: list[CutoffCurve | None] = [None] * len(ranges)
        for leaves in _leaves(first, self.cost.num_leaves):
            longest = max(curve.tuned_point.seconds if curve else math.inf for curve in curves)
            if self.cost.seconds(leaves, ranges[-1].last) > _ENOUGH * longest:
                break
            curves = measure(leaves)
        tuned = {curve.tuned_point.leaves for curve in curves if curve}
        for leaves in sorted({round(each * factor) for each in tuned for factor in _FINER}):
            if leaves not in sweeps and 0 < leaves < self.cost.num_leaves:
                curves = measure(leaves)
        return curves

    def _complete(self, ranks: RankRange) -> CutoffCurve:
        """Every leaf and row, for a target that the quantised scores do not reach."""
        leaves, items = self.cost.num_leaves, len(self.vectors)
        point = CurvePoint(leaves, items, 1.0, self.cost.seconds(leaves, items))
        return CutoffCurve(ranks.last, (point,), 0)


def cutoffs(items: int) -> tuple[int, ...]:
    """The cutoffs for an index of ``items`` rows."""
    return tuple(k for k in CUTOFFS if k * _SHARE <= items) or CUTOFFS[:1]


def _leaves(first: int, last: int) -> list[int]:
    """Rising numbers from ``first`` to ``last``, each about ``_LEAVES_STEP`` times the previous."""
    leaves, tried = float(max(first, 1)), {last}
    while leaves < last:
        tried.add(round(leaves))
        leaves = max(leaves * _LEAVES_STEP, leaves + 1)
    return sorted(tried)
