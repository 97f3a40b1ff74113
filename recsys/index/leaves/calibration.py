"""How far above the score of its centroid a leaf's best row is taken to be, found by measurement.

The reach must hold for filters. The hardest are correlated with the leaves: where the leaves near a
query hold no eligible row, the answer comes from leaves that differ little in their bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from recsys.ids import Vectors
from recsys.index.arguments import Exclusions, SearchArguments
from recsys.index.exact import ExactIndex
from recsys.index.hits import Hits
from recsys.index.leaves.scan import LeafScan
from recsys.index.rows import RowSet

_RANKS = (1, 10, 100, 1_000)
_SHARE = 8
"""A rank is at most this part of the eligible rows."""
_LEAST, _MOST, _STEPS = 0.5, 9.0, 10
_SHARES = (0.01, 0.1, 0.5, 0.9)
"""Shares of random rows that a filter allows."""
_FEWEST_QUERIES, _RANKS_MEASURED = 48, 9_600
"""Least number of queries, and number of hits after which more queries say little."""
_TOLERANCE, _CONFIDENCE = 0.01, 1.645
"""Distance below the target that recall on other queries may have, at 95 percent confidence."""
_LOSS_OF_FILTERS = 0.8
"""Share of the allowed loss that the measured filters may have, since others can be harder."""
_CELLS, _ROWS_AT_ONCE = 200, 1 << 16
_ANCHORS, _ALIKE = 24, 8
"""Number of queries for which the half of the rows far away is searched, and of those near each."""
_SEED = 18
_FEWEST = 64
"""Number of rows of a set below which it says nothing."""


@dataclass(frozen=True)
class LeafReach:
    """Reach of a leaf scan, in standard deviations above a centroid's score, and its cost.

    Attributes:
        ranks: Numbers of hits, ascending; the other attributes hold one number for each.
        plain: Reach where every row is eligible.
        excluded: Reach where the nearest rows are excluded.
        even: Reach with a filter whose rows are spread evenly over the leaves.
        filtered: Reach with any other filter.
        reads: Mean number of rows read where every row is eligible.

    Example:
        >>> measured = (2.0, 3.0), (2.5, 3.0), (1.5, 2.5), (3.0, 4.0), (1000.0, 4000.0)
        >>> reach = LeafReach((1, 100), *measured)
        >>> reach.at(10), reach.at(10, rows="filtered"), round(reach.read(10))
        (2.5, 3.5, 2000)
    """

    ranks: tuple[int, ...]
    plain: tuple[float, ...]
    excluded: tuple[float, ...]
    even: tuple[float, ...]
    filtered: tuple[float, ...]
    reads: tuple[float, ...]

    def at(
        self, rank: int, *, rows: Literal["plain", "excluded", "even", "filtered"] = "plain"
    ) -> float:
        """Reach with which ``rank`` hits are found with the calibrated recall."""
        return self._between(rank, getattr(self, rows))

    def read(self, rank: int) -> float:
        """Estimated number of rows read for ``rank`` hits where every row is eligible."""
        estimate = math.exp(self._between(rank, np.log(self.reads)))
        return estimate * math.sqrt(max(rank / self.ranks[-1], 1.0))

    def _between(self, rank: int, values: Any) -> float:
        return float(np.interp(math.log(rank), np.log(self.ranks), values))

    @classmethod
    def worst(cls, reaches: Sequence[LeafReach]) -> LeafReach:
        """The reach that suffices for every kind of query."""
        names = ("plain", "excluded", "even", "filtered", "reads")
        columns = (zip(*(getattr(each, name) for each in reaches)) for name in names)
        return cls(reaches[0].ranks, *(tuple(map(max, column)) for column in columns))

    def as_json(self) -> dict[str, Any]:
        """The reach as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LeafReach:
        """The reach of :meth:`as_json`."""
        names = ("plain", "excluded", "even", "filtered", "reads")
        numbers = (tuple(float(value) for value in values[name]) for name in names)
        return cls(tuple(int(rank) for rank in values["ranks"]), *numbers)


def calibrate(scan: LeafScan, queries: Vectors, target: float) -> LeafReach:
    """The least reach, per number of hits, whose mean recall over ``queries`` is ``target``.

    With excluded rows, it must suffice when the nearest 10, 100 and 1,000 are excluded; with a
    filter, for each of several: random rows, and, where they are not spread evenly over the leaves,
    also groups of near rows, whole leaves, and the half far from the query.
    """
    items = len(scan.vectors)
    ranks = [rank for rank in _RANKS if rank * _SHARE <= items] or [1]
    exact = ExactIndex(scan.vectors)
    nearest = exact.search(queries, min(2 * ranks[-1], items))
    plain = _raised(
        dict.fromkeys(ranks, _LEAST), [_Needs.of(scan, queries, nearest)], ranks, target
    )
    reads = [_rows_read(scan, queries, rank, plain[rank]) for rank in ranks]
    excluded = plain
    for count in ranks[1:]:
        rest = _Needs.of(scan, queries, nearest, after=count)
        excluded = _raised(excluded, [rest], ranks, target)
    higher = 1 - (1 - target) * _LOSS_OF_FILTERS
    even = filtered = dict.fromkeys(ranks, _LEAST)
    for cases in _random_rows(items, queries):
        even = _raised_for(even, scan, exact, cases, higher)
    for cases in (*_near_rows(scan, queries), _far_halves(scan, queries)):
        filtered = _raised_for(filtered, scan, exact, cases, higher)
    filtered = {rank: max(filtered[rank], even[rank]) for rank in ranks}
    return LeafReach(
        tuple(ranks),
        tuple(plain.values()),
        tuple(excluded.values()),
        tuple(even.values()),
        tuple(filtered.values()),
        tuple(max(float(read), 1.0) for read in reads),
    )


@dataclass(frozen=True)
class _Needs:
    """Where the best rows of some queries lie.

    Attributes:
        scores: Exact scores, float32 ``[q, m]``, best first.
        means: Score of the centroid of each row's group, float32 ``[q, m]``.
        spreads: Spread of the group along the query, float32 ``[q, m]``.
    """

    scores: Vectors
    means: Vectors
    spreads: Vectors

    @classmethod
    def of(
        cls,
        scan: LeafScan,
        queries: Vectors,
        found: Hits,
        allowed: RowSet | None = None,
        *,
        after: int = 0,
    ) -> _Needs:
        """The rows found for the queries, without the first ``after`` of each."""
        from recsys.index.leaves.kernels import stretch

        groups, partition = scan.groups(allowed), scan.partition
        rows, scores = found.rows[:, after:], found.scores[:, after:]
        leaves = partition.tokens[rows]
        centroids, spread = partition.centroids, partition.spread
        lengths = np.linalg.norm(queries, axis=1).astype(np.float32)
        if allowed is not None:
            leaves = np.searchsorted(groups.leaves, leaves).astype(np.int32)
            centroids, spread = groups.centroids, groups.spread
            lengths = np.array([stretch(partition.axes, each) for each in queries], np.float32)
        means = np.empty(rows.shape, np.float32)
        for query, own in enumerate(leaves):
            means[query] = centroids[own] @ queries[query]
        return cls(scores, means, spread[leaves] * lengths[:, None])

    def __len__(self) -> int:
        return len(self.scores)

    def reaches(self, rank: int) -> Vectors:
        """Reach with which each of the ``rank`` best rows is found, ``[q, rank]``.

        A scan reads every leaf with a bound above the score of the last of them.
        """
        some = _spread(len(self), max(_FEWEST_QUERIES, _RANKS_MEASURED // rank))
        above = self.scores[some, rank - 1 : rank] - self.means[some, :rank]
        return (above / np.maximum(self.spreads[some, :rank], 1e-30)).astype(np.float32)


def _raised(
    reach: Mapping[int, float], cases: Sequence[_Needs], ranks: Sequence[int], target: float
) -> dict[int, float]:
    """Raise the reach of each of ``ranks`` until it suffices for the mean of all cases."""
    raised = dict(reach)
    for rank in ranks:
        if rank > cases[0].scores.shape[1]:
            break
        needs = [case.reaches(rank) for case in cases]
        low, high = reach[rank], _MOST
        if _suffices(needs, low, target):
            continue
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (low, middle) if _suffices(needs, middle, target) else (middle, high)
        raised[rank] = high
    return raised


def _raised_for(
    reach: Mapping[int, float],
    scan: LeafScan,
    exact: ExactIndex,
    cases: Sequence[tuple[RowSet, Vectors]],
    target: float,
) -> dict[int, float]:
    """Raise the reach until it suffices for filters with their queries."""
    least = min((len(allowed) for allowed, _ in cases), default=0)
    if least < _FEWEST:
        return dict(reach)
    ranks = [rank for rank in reach if rank * _SHARE <= least]
    needs = [
        _Needs.of(scan, part, exact.search(part, ranks[-1], allowed=allowed), allowed)
        for allowed, part in cases
    ]
    return _raised(reach, needs, ranks, target)


def _suffices(needs: Sequence[Vectors], reach: float, target: float) -> bool:
    """Whether the mean recall is ``target``, and for other queries probably not much less.

    The recall of one case is one sample, as its queries are alike, unless there is only one.
    """
    recalls = [(each <= reach).mean(axis=1) for each in needs]
    mean = np.concatenate(recalls).mean()
    samples = recalls[0] if len(recalls) == 1 else np.array([each.mean() for each in recalls])
    error = samples.std() / math.sqrt(len(samples))
    return bool(mean >= max(target, target - _TOLERANCE + _CONFIDENCE * error) - 1e-9)


def _spread(size: int, count: int) -> npt.NDArray[np.int64]:
    return np.linspace(0, size - 1, min(count, size)).astype(np.int64)


def _rows_read(scan: LeafScan, queries: Vectors, rank: int, reach: float) -> float:
    """Mean number of rows that a scan without a filter reads."""
    some = queries[_spread(len(queries), _FEWEST_QUERIES)]
    hits = Hits.empty(queries=len(some), k=rank)
    arguments = SearchArguments(some, rank, Exclusions.none(len(some)))
    scan.search(hits, arguments, np.arange(len(some)), reach=reach)
    return float(hits.work.read.mean())


def _random_rows(items: int, queries: Vectors) -> Iterator[list[tuple[RowSet, Vectors]]]:
    """Random rows, with all queries."""
    rng = np.random.default_rng(_SEED)
    for share in _SHARES:
        yield [(RowSet.of_mask(rng.random(items) < share), queries)]


def _near_rows(scan: LeafScan, queries: Vectors) -> Iterator[list[tuple[RowSet, Vectors]]]:
    """Random groups of near rows, and leaves near one another, with all queries."""
    partition, rng = scan.partition, np.random.default_rng(_SEED)
    yield [(RowSet.of_mask(_cells(scan.vectors, rng) < _CELLS // 10), queries)]
    centroids = partition.centroids
    order = np.argsort(centroids @ centroids[rng.integers(len(centroids))], kind="stable")
    near = order[-max(2, len(order) // 10) :]
    yield [(RowSet.of_mask(np.isin(partition.tokens, near)), queries)]


def _far_halves(scan: LeafScan, queries: Vectors) -> list[tuple[RowSet, Vectors]]:
    """For groups of similar queries the half of the rows in the leaves farthest from theirs."""
    partition, far = scan.partition, []
    centroids = partition.centroids
    sizes = np.bincount(partition.tokens, minlength=len(centroids))
    for anchor in queries[_spread(len(queries), _ANCHORS)]:
        part = queries[np.sort(np.argsort(-(queries @ anchor), kind="stable")[:_ALIKE])]
        own = centroids[np.argmax(centroids @ anchor)]
        order = np.argsort(centroids @ own, kind="stable")
        order = order[np.cumsum(sizes[order]) <= len(partition.tokens) / 2]
        far.append((RowSet.of_mask(np.isin(partition.tokens, order)), part))
    return far


def _cells(vectors: Vectors, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """The nearest of some random rows to each row, as the values of a category might lie."""
    seeds = np.asarray(vectors[np.sort(rng.permutation(len(vectors))[:_CELLS])])
    seeds = seeds[rng.permutation(len(seeds))]
    half = np.einsum("sd,sd->s", seeds, seeds) / 2
    cells = np.empty(len(vectors), np.int64)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        cells[part] = (vectors[part] @ seeds.T - half).argmax(axis=1)
    return cells
