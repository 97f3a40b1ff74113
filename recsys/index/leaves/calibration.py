"""How far above the score of its centroid a leaf's best row is taken to be, found by measurement.

The reach must hold for filters. The hardest are correlated with the leaves: where the leaves near a
query hold no eligible row, the answer comes from leaves that differ little in their bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from recsys.ids import Vectors
from recsys.index.arguments import Exclusions, SearchArguments
from recsys.index.hits import Hits
from recsys.index.leaves.scan import LeafScan
from recsys.index.rows import RowSet

_RANKS = (1, 10, 100, 1_000)
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
        ranks: Numbers of hits, ascending; the other attributes hold one number for each.
        plain: Reach without a filter.
        filtered: Reach with a filter or excluded rows.
        reads: Mean number of rows read without a filter.

    Example:
        >>> reach = LeafReach((1, 100), (2.0, 3.0), (3.0, 4.0), (1000.0, 4000.0))
        >>> reach.at(10), reach.at(10, filtered=True), round(reach.read(10))
        (2.5, 3.5, 2000)
    """

    ranks: tuple[int, ...]
    plain: tuple[float, ...]
    filtered: tuple[float, ...]
    reads: tuple[float, ...]

    def at(self, rank: int, *, filtered: bool = False) -> float:
        """Reach with which ``rank`` hits are found with the calibrated recall."""
        return self._between(rank, self.filtered if filtered else self.plain)

    def read(self, rank: int) -> float:
        """Estimated number of rows read for ``rank`` hits without a filter."""
        estimate = math.exp(self._between(rank, np.log(self.reads)))
        return estimate * math.sqrt(max(rank / self.ranks[-1], 1.0))

    def _between(self, rank: int, values: Any) -> float:
        return float(np.interp(math.log(rank), np.log(self.ranks), values))

    def as_json(self) -> dict[str, Any]:
        """The reach as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LeafReach:
        """The reach of :meth:`as_json`."""
        names = ("plain", "filtered", "reads")
        numbers = (tuple(float(value) for value in values[name]) for name in names)
        return cls(tuple(int(rank) for rank in values["ranks"]), *numbers)


def calibrate(scan: LeafScan, queries: Vectors, target: float) -> LeafReach:
    """The least reach, per number of hits, whose mean recall over ``queries`` is ``target``.

    With a filter, it must suffice for each of several: random rows, and whole leaves.
    """
    items = len(scan.vectors)
    ranks = [rank for rank in _RANKS if rank * _SHARE <= items] or [1]
    plain = _raised(scan, queries, None, target, dict.fromkeys(ranks, _LEAST))
    reads = [_search(scan, queries, rank, None, plain[rank]).work.read.mean() for rank in ranks]
    filtered = plain
    for allowed in _filters(scan):
        if len(allowed) >= _FEWEST:
            filtered = _raised(scan, queries, allowed, target, filtered)
    return LeafReach(
        tuple(ranks),
        tuple(plain.values()),
        tuple(filtered.values()),
        tuple(max(float(read), 1.0) for read in reads),
    )


def _raised(
    scan: LeafScan,
    queries: Vectors,
    allowed: RowSet | None,
    target: float,
    reach: Mapping[int, float],
) -> dict[int, float]:
    """Raise the reach of each rank until it suffices for one filter."""
    most = len(scan.vectors) if allowed is None else len(allowed)
    ranks = [rank for rank in reach if rank * _SHARE <= most]
    truth = _search(scan, queries, max(ranks), allowed, math.inf).scores
    raised = dict(reach)
    for rank in ranks:
        low, high = reach[rank], _MOST
        floor = truth[:, rank - 1 : rank]

        def recall(reach: float, rank: int = rank, floor: Any = floor) -> float:
            scores = _search(scan, queries, rank, allowed, reach).scores
            return float((scores >= floor).mean())

        if recall(low) >= target:
            continue
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (low, middle) if recall(middle) >= target else (middle, high)
        raised[rank] = high
    return raised


def _search(
    scan: LeafScan, queries: Vectors, rank: int, allowed: RowSet | None, reach: float
) -> Hits:
    arguments = SearchArguments(queries, rank, Exclusions.none(len(queries)), allowed)
    hits = Hits.empty(queries=len(queries), k=rank)
    scan.search(hits, arguments, np.arange(len(queries)), reach=reach)
    return hits


def _filters(scan: LeafScan) -> Iterator[RowSet]:
    """Random rows, random leaves, leaves that are near one another, and those far from them."""
    items, centroids = len(scan.vectors), scan.partition.centroids
    rng = np.random.default_rng(_SEED)
    for share in _SHARES:
        yield RowSet.of_mask(rng.random(items) < share)
    count = max(2, round(_SHARES[-1] * len(centroids)))
    order = np.argsort(centroids @ centroids[rng.integers(len(centroids))], kind="stable")
    for chosen in (rng.permutation(order)[:count], order[-count:], order[: len(order) // 2]):
        yield RowSet.of_mask(np.isin(scan.partition.tokens, chosen))
