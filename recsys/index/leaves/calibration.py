"""How far above the score of its centroid a leaf's best row is taken to be, found by measurement.

The reach must hold for filters. The hardest are correlated with the leaves: where the leaves near a
query hold no eligible row, the answer comes from leaves that differ little in their bounds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from recsys.ids import Vectors
from recsys.index.arguments import Exclusions, SearchArguments
from recsys.index.hits import Hits
from recsys.index.leaves.scan import LeafScan
from recsys.index.recall import recall_of
from recsys.index.rows import RowSet

_RANKS = (1, 10, 100)
_SHARE = 8
"""A rank is at most this part of the eligible rows."""
_LEAST, _MOST, _STEPS = 1.0, 9.0, 6
_SHARES = (0.01, 0.1)
_SEED = 18
_FEWEST = 64
"""Number of rows of a set below which it says nothing."""


@dataclass(frozen=True)
class LeafReach:
    """Reach of a leaf scan, in standard deviations above a centroid's score, and its cost.

    Attributes:
        plain: Reach without a filter.
        filtered: Reach with one; not less.
        ranks: Numbers of hits.
        reads: Mean number of rows read for each, without a filter.
    """

    plain: float
    filtered: float
    ranks: tuple[int, ...]
    reads: tuple[float, ...]

    def read(self, rank: int) -> float:
        """Estimated number of rows read for ``rank`` hits without a filter."""
        grid = np.log(self.ranks), np.log(self.reads)
        estimate = math.exp(float(np.interp(math.log(rank), *grid)))
        return estimate * math.sqrt(max(rank / self.ranks[-1], 1.0))

    def as_json(self) -> dict[str, Any]:
        """The reach as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LeafReach:
        """The reach of :meth:`as_json`."""
        reads = tuple(float(value) for value in values["reads"])
        ranks = tuple(int(rank) for rank in values["ranks"])
        return cls(float(values["plain"]), float(values["filtered"]), ranks, reads)


def calibrate(scan: LeafScan, queries: Vectors, target: float) -> LeafReach:
    """The least reach whose recall is at least ``target`` with and without filters.

    Each of several filters (random rows, and whole leaves) and numbers of hits must reach it in the
    mean over ``queries``.
    """
    ranks = [rank for rank in _RANKS if rank * _SHARE <= len(scan.vectors)] or [1]
    plain = _LEAST
    for rank in ranks:
        plain = _raised(scan, queries, rank, None, target, plain)
    reads = [_search(scan, queries, rank, None, plain).work.read.mean() for rank in ranks]
    filtered = plain
    for allowed in _filters(scan):
        for rank in ranks:
            if max(rank * _SHARE, _FEWEST) <= len(allowed):
                filtered = _raised(scan, queries, rank, allowed, target, filtered)
    return LeafReach(plain, filtered, tuple(ranks), tuple(max(float(r), 1.0) for r in reads))


def _raised(
    scan: LeafScan,
    queries: Vectors,
    rank: int,
    allowed: RowSet | None,
    target: float,
    reach: float,
) -> float:
    truth = _search(scan, queries, rank, allowed, math.inf)

    def suffices(reach: float) -> bool:
        return recall_of(_search(scan, queries, rank, allowed, reach), truth) >= target

    if suffices(reach):
        return reach
    low, high = reach, _MOST
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high


def _search(
    scan: LeafScan, queries: Vectors, rank: int, allowed: RowSet | None, reach: float
) -> Hits:
    arguments = SearchArguments(queries, rank, Exclusions.none(len(queries)), allowed)
    hits = Hits.empty(queries=len(queries), k=rank)
    scan.search(hits, arguments, np.arange(len(queries)), reach=reach)
    return hits


def _filters(scan: LeafScan) -> Sequence[RowSet]:
    items, leaves = len(scan.vectors), len(scan.partition.centroids)
    rng = np.random.default_rng(_SEED)
    sets = [RowSet.of_mask(rng.random(items) < share) for share in _SHARES]
    for share in _SHARES:
        chosen = rng.random(leaves) < max(share, 2 / leaves)
        sets.append(RowSet.of_mask(chosen[scan.partition.tokens]))
    return sets
