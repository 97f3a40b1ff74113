"""The rows that can be among the k best of each query, at little more than the cost of the product.

A product of 64 dimensions takes 128 operations; a look at each score by itself costs as much. So
the products are computed in strips that stay in the cache, one comparison per score finds the few
above the k-th best so far (after n rows, about k t / n of the next t), and only those are sorted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.ids import Rows, Vectors
from recsys.index.scoring import rank

_TILE = 1 << 19
"""Number of scores in a tile."""
_STRIP = 256
"""Number of rows multiplied and compared at once; their scores fit a core's own cache."""
_CLOSE = 1000
_LOWEST = np.finfo(np.float32).min
Numbers = npt.NDArray[np.int64]


def propose(
    queries: Vectors,
    matrix: Vectors,
    k: int,
    *,
    slack: Vectors,
    excluded: Sequence[Rows],
    forbidden: Rows | None,
) -> list[Rows]:
    """Per query the rows of ``matrix`` whose product is no more than 2 ``slack`` below its k-th.

    Args:
        queries: float32 ``[b, d]``.
        matrix: float32 ``[n, d]``.
        k: Number of rows, 1 or more.
        slack: Largest distance of a product from its exact score, float32 ``[b]``.
        excluded: Rows per query that must not be proposed, ascending.
        forbidden: Rows that must not be proposed at all, ascending.
    """
    found = _Proposals(queries, matrix, k, slack)
    never = _Excluded.of(excluded)
    across = np.ascontiguousarray(queries.T)
    width = max(1, _TILE // len(queries))
    tile = np.empty((width, len(queries)), np.float32)
    above = np.empty((width, len(queries)), np.bool_)
    start, stop = 0, min(width, max(4 * k, 2048))  # A small first tile gives a k-th best early.
    while start < len(matrix):
        stop = min(stop, len(matrix))
        for low in range(start, stop, _STRIP):
            strip = slice(low - start, min(low + _STRIP, stop) - start)
            np.matmul(matrix[low : min(low + _STRIP, stop)], across, out=tile[strip])
            np.greater_equal(tile[strip], found.least, out=above[strip])
        mask = above[: stop - start]
        never.strike(mask, start)
        if forbidden is not None:
            low, high = np.searchsorted(forbidden, [start, stop])
            mask[forbidden[low:high] - start] = False
        at = _positions(mask.reshape(-1))
        rows, owners = np.divmod(at, len(queries))
        found.take(owners, rows + start, tile.reshape(-1)[at])
        start, stop = stop, stop + width
    return found.rows()


def _positions(mask: npt.NDArray[np.bool_]) -> Numbers:
    """Positions where a mask is true; fast for a sparse mask, since it tests eight at a time."""
    eights = len(mask) // 8 * 8
    some = np.flatnonzero(mask[:eights].view(np.uint64) != 0)
    near = (some[:, None] * 8 + np.arange(8)).reshape(-1)
    rest = eights + np.flatnonzero(mask[eights:])
    return np.concatenate([near[mask[near]], rest])


@dataclass(frozen=True, eq=False)
class _Excluded:
    """Pairs (row, query) that must not be proposed, by row."""

    rows: Numbers
    queries: Numbers

    @classmethod
    def of(cls, excluded: Sequence[Rows]) -> _Excluded:
        rows = np.concatenate([np.empty(0, np.int64), *excluded]).astype(np.int64)
        owners = np.repeat(np.arange(len(excluded)), [len(each) for each in excluded])
        order = np.argsort(rows, kind="stable")
        return cls(rows[order], owners[order])

    def strike(self, mask: npt.NDArray[np.bool_], start: int) -> None:
        if len(self.rows):
            low, high = np.searchsorted(self.rows, [start, start + len(mask)])
            mask[self.rows[low:high] - start, self.queries[low:high]] = False


class _Proposals:
    """The best (query, row) pairs so far, and the least score that a new one needs."""

    def __init__(self, queries: Vectors, matrix: Vectors, k: int, slack: Vectors) -> None:
        self.least: Vectors = np.full(len(queries), _LOWEST, np.float32)
        self._queries, self._matrix, self._k, self._slack = queries, matrix, k, slack
        nothing = np.empty(0, np.int64)
        self._best: tuple[Any, ...] = nothing, nothing, np.empty(0, np.float32)
        self._waiting: list[tuple[Any, ...]] = []
        self._held = 0

    def take(self, queries: Numbers, rows: Numbers, scores: Vectors) -> None:
        self._waiting.append((queries, rows, scores))
        self._held += len(queries)
        if self._held > self._k * len(self.least):
            self._sift()

    def rows(self) -> list[Rows]:
        self._sift()
        queries, rows, _ = self._best
        ends = np.searchsorted(queries, np.arange(1, len(self.least)))
        return np.split(rows.astype(np.int32), ends)

    def _sift(self) -> None:
        """Drop pairs that are no longer among the k best, and raise the least score."""
        queries, rows, scores = (np.concatenate(parts) for parts in zip(self._best, *self._waiting))
        # Small integers are sorted by radix.
        order = np.argsort(queries.astype(np.uint16), kind="stable")
        queries, rows, scores = queries[order], rows[order], scores[order]
        counts = np.bincount(queries, minlength=len(self.least))
        column = np.arange(len(queries)) - np.repeat(np.cumsum(counts) - counts, counts)
        table = np.full((len(counts), max(int(counts.max()), self._k)), -np.inf, np.float32)
        table[queries, column] = scores
        kth = np.partition(table, table.shape[1] - self._k, axis=1)[:, table.shape[1] - self._k]
        self.least = np.maximum(kth - 2 * self._slack, _LOWEST)
        keep = scores >= self.least[queries]
        self._decide(queries, rows, keep)
        self._best = queries[keep], rows[keep], scores[keep]
        self._waiting, self._held = [], 0

    def _decide(self, queries: Numbers, rows: Numbers, keep: npt.NDArray[np.bool_]) -> None:
        """Decide by exact scores where too many rows differ by rounding only."""
        counts = np.bincount(queries[keep], minlength=len(self.least))
        for query in np.flatnonzero(counts > 4 * self._k + _CLOSE):
            low, high = np.searchsorted(queries, [query, query + 1])
            among = low + np.flatnonzero(keep[low:high])
            best, _ = rank(self._matrix, rows[among], self._queries[query], self._k)
            keep[among] = np.isin(rows[among], best)
