"""How far above the score of its centroid a leaf's best row is taken to be, found by measurement.

The reach must hold for filters. The hardest are correlated with the leaves: where the leaves near a
query hold no eligible row, the answer comes from leaves that differ little in their bounds.
"""

from __future__ import annotations

import dataclasses
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
_LEAST, _MOST, _STEPS = 1.0, 9.0, 6
_SHARES = (0.01, 0.1)
_FEWEST_QUERIES, _RANKS_MEASURED = 48, 9_600
"""Least number of queries, and number of hits after which more queries say little."""
_TOLERANCE, _CONFIDENCE = 0.01, 1.645
"""Distance below the target that recall on other queries may have, at 95 percent confidence."""
_LOSS_OF_FILTERS = 0.8
"""Share of the allowed loss that the measured filters may have, since others can be harder."""
_CELLS, _ROWS_AT_ONCE = 200, 1 << 16
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
        filtered: Reach with a filter.
        reads: Mean number of rows read where every row is eligible.

    Example:
        >>> reach = LeafReach((1, 100), (2.0, 3.0), (2.5, 3.0), (3.0, 4.0), (1000.0, 4000.0))
        >>> reach.at(10), reach.at(10, rows="filtered"), round(reach.read(10))
        (2.5, 3.5, 2000)
    """

    ranks: tuple[int, ...]
    plain: tuple[float, ...]
    excluded: tuple[float, ...]
    filtered: tuple[float, ...]
    reads: tuple[float, ...]

    def at(self, rank: int, *, rows: Literal["plain", "excluded", "filtered"] = "plain") -> float:
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
        names = ("plain", "excluded", "filtered", "reads")
        columns = (zip(*(getattr(each, name) for each in reaches)) for name in names)
        return cls(reaches[0].ranks, *(tuple(map(max, column)) for column in columns))

    def as_json(self) -> dict[str, Any]:
        """The reach as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LeafReach:
        """The reach of :meth:`as_json`."""
        names = ("plain", "excluded", "filtered", "reads")
        numbers = (tuple(float(value) for value in values[name]) for name in names)
        return cls(tuple(int(rank) for rank in values["ranks"]), *numbers)


def calibrate(scan: LeafScan, queries: Vectors, target: float) -> LeafReach:
    """The least reach, per number of hits, whose mean recall over ``queries`` is ``target``.

    With excluded rows, it must suffice when the nearest 10, 100 and 1,000 are excluded; with a
    filter, for each of several: random rows, and whole leaves.
    """
    items = len(scan.vectors)
    ranks = [rank for rank in _RANKS if rank * _SHARE <= items] or [1]
    usual = SearchArguments(queries, 1, Exclusions.none(len(queries)))
    exact = ExactIndex(scan.vectors)
    nearest = exact.search(queries, min(2 * ranks[-1], items))
    plain = _raised(scan, usual, target, dict.fromkeys(ranks, _LEAST), nearest.scores)
    few = usual.take(_spread(len(queries), _FEWEST_QUERIES))
    reads = [_search(scan, few, rank, plain[rank]).work.read.mean() for rank in ranks]
    excluded = plain
    for count in ranks[1:]:
        rows = Exclusions.of(list(nearest.rows[:, :count]), items)
        arguments = dataclasses.replace(usual, excluded=rows)
        excluded = _raised(scan, arguments, target, excluded, nearest.scores[:, count:])
    filtered, higher = plain, 1 - (1 - target) * _LOSS_OF_FILTERS
    for allowed in _filters(scan):
        if len(allowed) >= _FEWEST:
            arguments = dataclasses.replace(usual, allowed=allowed)
            rank = max(rank for rank in ranks if rank * _SHARE <= len(allowed))
            scores = exact.search(queries, rank, allowed=allowed).scores
            filtered = _raised(scan, arguments, higher, filtered, scores)
    return LeafReach(
        tuple(ranks),
        tuple(plain.values()),
        tuple(excluded.values()),
        tuple(filtered.values()),
        tuple(max(float(read), 1.0) for read in reads),
    )


def _raised(
    scan: LeafScan,
    arguments: SearchArguments,
    target: float,
    reach: Mapping[int, float],
    truth: Vectors,
) -> dict[int, float]:
    """Raise the reach of each rank that ``truth``, the best scores, holds until it suffices."""
    raised = dict(reach)
    for rank in reach:
        if rank > truth.shape[1]:
            break
        low, high = reach[rank], _MOST
        some = _spread(len(truth), max(_FEWEST_QUERIES, _RANKS_MEASURED // rank))
        part, floor = arguments.take(some), truth[some, rank - 1 : rank]

        def suffices(
            reach: float, part: SearchArguments = part, rank: int = rank, floor: Any = floor
        ) -> bool:
            found = _search(scan, part, rank, reach).scores >= floor
            return _holds(found.mean(axis=1), target)

        if suffices(low):
            continue
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (low, middle) if suffices(middle) else (middle, high)
        raised[rank] = high
    return raised


def _spread(size: int, count: int) -> npt.NDArray[np.int64]:
    return np.linspace(0, size - 1, min(count, size)).astype(np.int64)


def _holds(recall: Any, target: float) -> bool:
    """Whether the mean is ``target``, and on other queries probably not much less."""
    error = recall.std() / math.sqrt(len(recall))
    return bool(recall.mean() >= max(target, target - _TOLERANCE + _CONFIDENCE * error) - 1e-9)


def _search(scan: LeafScan, arguments: SearchArguments, rank: int, reach: float) -> Hits:
    hits = Hits.empty(queries=len(arguments), k=rank)
    arguments = dataclasses.replace(arguments, k=rank)
    scan.search(hits, arguments, np.arange(len(arguments)), reach=reach)
    return hits


def _filters(scan: LeafScan) -> Iterator[RowSet]:
    """Random rows, random groups of near rows, near leaves, and the half of the leaves far away."""
    items, centroids = len(scan.vectors), scan.partition.centroids
    rng = np.random.default_rng(_SEED)
    for share in _SHARES:
        yield RowSet.of_mask(rng.random(items) < share)
    yield RowSet.of_mask(_cells(scan.vectors, rng) < _CELLS * _SHARES[-1])
    order = np.argsort(centroids @ centroids[rng.integers(len(centroids))], kind="stable")
    for chosen in (order[-max(2, len(order) // 10) :], order[: len(order) // 2]):
        yield RowSet.of_mask(np.isin(scan.partition.tokens, chosen))


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
