"""The rows that may be among the k best of each query, found not much slower than multiplied.

A product of 64 dimensions is 128 operations; looking at each score costs as much, if done score by
score. So the products are made in strips that stay in the cache, one comparison a score finds the
few that beat the k-th best so far (of n rows seen, the next tile of t brings about k t / n), and
only those are ever sorted.
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
"""Scores that are sifted at once."""
_STRIP = 256
"""Rows that are multiplied and compared at once: their scores stay in a core's own cache."""
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
        k: 1 or more.
        slack: How far a product can be from its exact score, float32 ``[b]``.
        excluded: Per query the rows that must not come, ascending.
        forbidden: Rows that must not come at all, ascending.
    """
    found = _Found(queries, matrix, k, slack)
    never = _Excluded.of(excluded)
    across = np.ascontiguousarray(queries.T)
    width = max(1, _TILE // len(queries))
    tile = np.empty((width, len(queries)), np.float32)
    above = np.empty((width, len(queries)), np.bool_)
    start, stop = 0, min(width, max(4 * k, 2048))  # A small first tile, to know a k-th best soon.
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
        at = _places(mask.reshape(-1))
        rows, owners = np.divmod(at, len(queries))
        found.take(owners, rows + start, tile.reshape(-1)[at])
        start, stop = stop, stop + width
    return found.rows()


def _places(mask: npt.NDArray[np.bool_]) -> Numbers:
    """Where a mask is true, quickly where it seldom is: eight at a time."""
    eights = len(mask) // 8 * 8
    some = np.flatnonzero(mask[:eights].view(np.uint64) != 0)
    near = (some[:, None] * 8 + np.arange(8)).reshape(-1)
    rest = eights + np.flatnonzero(mask[eights:])
    return np.concatenate([near[mask[near]], rest])


@dataclass(frozen=True, eq=False)
class _Excluded:
    """Pairs (row, query) that must not come, by row."""

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


class _Found:
    """What was good enough so far, and what is good enough from now on."""

    def __init__(self, queries: Vectors, matrix: Vectors, k: int, slack: Vectors) -> None:
        self.least: Vectors = np.full(len(queries), _LOWEST, np.float32)
        self._queries, self._matrix, self._k, self._slack = queries, matrix, k, slack
        nothing = np.empty(0, np.int64)
        self._kept: tuple[Any, ...] = nothing, nothing, np.empty(0, np.float32)
        self._waiting: list[tuple[Any, ...]] = []
        self._held = 0

    def take(self, queries: Numbers, rows: Numbers, scores: Vectors) -> None:
        self._waiting.append((queries, rows, scores))
        self._held += len(queries)
        if self._held > self._k * len(self.least):
            self._sift()

    def rows(self) -> list[Rows]:
        self._sift()
        queries, rows, _ = self._kept
        ends = np.searchsorted(queries, np.arange(1, len(self.least)))
        return np.split(rows.astype(np.int32), ends)

    def _sift(self) -> None:
        """Drop what is no longer among the k best, and raise the bar."""
        queries, rows, scores = (np.concatenate(parts) for parts in zip(self._kept, *self._waiting))
        # Small integers are sorted by radix.
        order = np.argsort(queries.astype(np.uint16), kind="stable")
        queries, rows, scores = queries[order], rows[order], scores[order]
        counts = np.bincount(queries, minlength=len(self.least))
        place = np.arange(len(queries)) - np.repeat(np.cumsum(counts) - counts, counts)
        table = np.full((len(counts), max(int(counts.max()), self._k)), -np.inf, np.float32)
        table[queries, place] = scores
        kth = np.partition(table, table.shape[1] - self._k, axis=1)[:, table.shape[1] - self._k]
        self.least = np.maximum(kth - 2 * self._slack, _LOWEST)
        keep = scores >= self.least[queries]
        self._decide(queries, rows, keep)
        self._kept = queries[keep], rows[keep], scores[keep]
        self._waiting, self._held = [], 0

    def _decide(self, queries: Numbers, rows: Numbers, keep: npt.NDArray[np.bool_]) -> None:
        """Where too many are too close to call, exact scores call them: they must not pile up."""
        counts = np.bincount(queries[keep], minlength=len(self.least))
        for query in np.flatnonzero(counts > 4 * self._k + _CLOSE):
            low, high = np.searchsorted(queries, [query, query + 1])
            among = low + np.flatnonzero(keep[low:high])
            best, _ = rank(self._matrix, rows[among], self._queries[query], self._k)
            keep[among] = np.isin(rows[among], best)
