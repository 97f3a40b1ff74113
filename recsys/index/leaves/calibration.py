"""How many hits a scan of leaves may be expected to miss, found by measurement.

A scan takes the scores of a group's rows to be normally distributed, which they are not: their
largest ones are correlated with the query. So the expected number of missed hits with which the
recall is the target is measured. It must hold for filters. The hardest are correlated with the
leaves: where the leaves near a query hold no eligible row, the answer comes from leaves that differ
little in their scores.
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
_LEAST, _MOST, _STEPS = 0.0, 16.0, 10
"""Least and greatest caution, the negative logarithm of the misses per hit, and halvings."""
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
_MEASURED = ("plain", "excluded", "even", "others", "reads")
_FEWEST = 64
"""Number of rows of a set below which it says nothing."""


@dataclass(frozen=True)
class LeafMisses:
    """Expected number of missed hits, per hit, that a leaf scan permits itself, and its cost.

    Attributes:
        ranks: Numbers of hits, ascending; the other attributes hold one number for each.
        plain: Expected misses where every row is eligible.
        excluded: Expected misses without a filter where the nearest rows are excluded.
        even: Expected misses with a filter whose rows are spread evenly over the leaves.
        others: Expected misses with any other filter.
        reads: Mean number of rows read where every row is eligible.

    Example:
        >>> measured = (0.4, 0.1), (0.1, 0.1), (0.2, 0.2), (0.01, 0.04), (1000.0, 4000.0)
        >>> misses = LeafMisses((1, 100), *measured)
        >>> round(misses.at(10, rows="plain"), 3), round(misses.at(10, rows="others"), 3)
        (0.2, 0.02)
        >>> round(misses.read(10))
        2000
    """

    ranks: tuple[int, ...]
    plain: tuple[float, ...]
    excluded: tuple[float, ...]
    even: tuple[float, ...]
    others: tuple[float, ...]
    reads: tuple[float, ...]

    def at(self, rank: int, *, rows: Literal["plain", "excluded", "even", "others"]) -> float:
        """Expected misses with which ``rank`` hits are found with the calibrated recall."""
        return self._between(rank, getattr(self, rows))

    def read(self, rank: int) -> float:
        """Estimated number of rows read for ``rank`` hits where every row is eligible."""
        return self._between(rank, self.reads) * math.sqrt(max(rank / self.ranks[-1], 1.0))

    def _between(self, rank: int, values: Sequence[float]) -> float:
        return math.exp(np.interp(math.log(rank), np.log(self.ranks), np.log(values)))

    @classmethod
    def worst(cls, measured: Sequence[LeafMisses]) -> LeafMisses:
        """The misses that suffice for every kind of query."""
        plain, excluded, even, others, reads = (
            list(zip(*(getattr(each, name) for each in measured))) for name in _MEASURED
        )
        return cls(
            measured[0].ranks,
            tuple(map(min, plain)),
            tuple(map(min, excluded)),
            tuple(map(min, even)),
            tuple(map(min, others)),
            tuple(map(max, reads)),
        )

    def as_json(self) -> dict[str, Any]:
        """The misses as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LeafMisses:
        """The misses of :meth:`as_json`."""
        numbers = (tuple(float(value) for value in values[name]) for name in _MEASURED)
        return cls(tuple(int(rank) for rank in values["ranks"]), *numbers)


def calibrate(scan: LeafScan, queries: Vectors, target: float) -> LeafMisses:
    """The most misses, per number of hits, whose mean recall over ``queries`` is ``target``.

    Without a filter they must suffice when the nearest 10, 100 and 1,000 are excluded; with one,
    also for each of several: random rows, groups of near rows, whole leaves, and the half far from
    the query.
    """
    items = len(scan.vectors)
    ranks = [rank for rank in _RANKS if rank * _SHARE <= items] or [1]
    exact = ExactIndex(scan.vectors)
    nearest = exact.search(queries, min(2 * ranks[-1], items))
    least = dict.fromkeys(ranks, _LEAST)
    plain = _raised(least, [_Needs(scan, queries, nearest)], target)
    reads = [_rows_read(scan, queries, rank, math.exp(-plain[rank])) for rank in ranks]
    excluded = plain
    for count in ranks[1:]:
        excluded = _raised(excluded, [_Needs(scan, queries, nearest, after=count)], target)
    higher = 1 - (1 - target) * _LOSS_OF_FILTERS
    even = least
    for cases in _random_rows(items, queries):
        even = _raised_for(even, scan, exact, cases, higher)
    others = {rank: max(excluded[rank], even[rank]) for rank in ranks}
    for cases in (*_near_rows(scan, queries), _far_halves(scan, queries)):
        others = _raised_for(others, scan, exact, cases, higher)
    return LeafMisses(
        tuple(ranks),
        tuple(math.exp(-plain[rank]) for rank in ranks),
        tuple(math.exp(-excluded[rank]) for rank in ranks),
        tuple(math.exp(-even[rank]) for rank in ranks),
        tuple(math.exp(-others[rank]) for rank in ranks),
        tuple(max(read, 1.0) for read in reads),
    )


@dataclass(frozen=True)
class _Needs:
    """The best rows of some queries, and the groups that hold them.

    Attributes:
        scan: The scan.
        queries: float32 ``[q, d]``.
        allowed: The eligible rows; None for all.
        found: The best eligible rows.
        after: Number of the best that are excluded.
    """

    scan: LeafScan
    queries: Vectors
    found: Hits
    allowed: RowSet | None = None
    after: int = 0

    def cautions(self, rank: int) -> Vectors:
        """Caution with which each of the ``rank`` best rows is found, ``[q, rank]``."""
        from recsys.index.leaves.expectation import needed_misses

        some = _spread(len(self.queries), max(_FEWEST_QUERIES, _RANKS_MEASURED // rank))
        part = slice(self.after, self.after + rank)
        groups, partition = self.scan.groups(self.allowed), self.scan.partition
        own = np.searchsorted(groups.leaves, partition.tokens[self.found.rows[some, part]])
        misses = np.empty(own.shape)
        needed_misses(
            self.queries[some],
            partition.arrays,
            groups.arrays,
            np.ascontiguousarray(self.found.scores[some, part][:, -1]),
            own,
            misses,
        )
        return -np.log(np.maximum(misses / (rank + self.after), 1e-300))


def _raised(
    caution: Mapping[int, float], cases: Sequence[_Needs], target: float
) -> dict[int, float]:
    """Raise the caution for each rank until it suffices for the mean of all cases."""
    raised = dict(caution)
    least = min(case.found.rows.shape[1] - case.after for case in cases)
    for rank, low in caution.items():
        if rank > least:
            break
        needs, high = [case.cautions(rank) for case in cases], _MOST
        if _suffices(needs, low, target):
            continue
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (low, middle) if _suffices(needs, middle, target) else (middle, high)
        raised[rank] = high
    return raised


def _raised_for(
    caution: Mapping[int, float],
    scan: LeafScan,
    exact: ExactIndex,
    cases: Sequence[tuple[RowSet, Vectors]],
    target: float,
) -> dict[int, float]:
    """Raise the caution until it suffices for filters with their queries."""
    least = min((len(allowed) for allowed, _ in cases), default=0)
    if least < _FEWEST:
        return dict(caution)
    last = max(rank for rank in caution if rank * _SHARE <= least)
    needs = [
        _Needs(scan, part, exact.search(part, last, allowed=allowed), allowed)
        for allowed, part in cases
    ]
    return _raised(caution, needs, target)


def _suffices(needs: Sequence[Vectors], caution: float, target: float) -> bool:
    """Whether the mean recall is ``target``, and for other queries probably not much less.

    The recall of one case is one sample, as its queries are alike, unless there is only one.
    """
    recalls = [(each <= caution).mean(axis=1) for each in needs]
    mean = np.concatenate(recalls).mean()
    samples = recalls[0] if len(recalls) == 1 else np.array([each.mean() for each in recalls])
    error = samples.std() / math.sqrt(len(samples))
    return bool(mean >= max(target, target - _TOLERANCE + _CONFIDENCE * error) - 1e-9)


def _spread(size: int, count: int) -> npt.NDArray[np.int64]:
    return np.linspace(0, size - 1, min(count, size)).astype(np.int64)


def _rows_read(scan: LeafScan, queries: Vectors, rank: int, misses: float) -> float:
    """Mean number of rows that a scan without a filter reads."""
    some = queries[_spread(len(queries), _FEWEST_QUERIES)]
    hits = Hits.empty(queries=len(some), k=rank)
    arguments = SearchArguments(some, rank, Exclusions.none(len(some)))
    scan.search(hits, arguments, np.arange(len(some)), misses=misses)
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
