"""The reference: every vector compared with every query, in plain numpy."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from recsys.ids import Mask, Rows, Vectors
from recsys.index.api import Hits, Index, check_vectors
from recsys.index.configs import ExactConfig
from recsys.index.proposing import propose
from recsys.index.scoring import rank, rounding_slack

_QUERIES_AT_ONCE = 512
_KEPT_AT_ONCE = 1 << 22
"""About the largest number of (query, row) pairs that wait to be ranked, in each thread."""


@dataclass(frozen=True, eq=False)
class ExactIndex(Index):
    """Exact search: a float32 matrix product proposes, exact scores decide.

    Build it with :meth:`of`.

    Example:
        >>> index = ExactIndex.of(np.array([[1, 0], [0, 1], [1, 0]], np.float32))
        >>> hits = index.search(np.array([[1, 0]], np.float32), k=2)
        >>> hits.rows.tolist(), hits.scores.tolist()
        ([[0, 2]], [[1.0, 1.0]])
    """

    config: ExactConfig = ExactConfig()

    @classmethod
    def of(cls, vectors: Vectors) -> ExactIndex:
        """Index float32 ``[n, d]``; the array is not copied and must not change.

        Raises:
            DataError: The vectors are not finite float32 of two dimensions, or none.
        """
        return cls(check_vectors(vectors))

    def _search(
        self, hits: Hits, queries: Vectors, k: int, excluded: Sequence[Rows], allowed: Mask | None
    ) -> None:
        pool = _Pool.of(self.vectors, allowed)
        step = max(1, min(_QUERIES_AT_ONCE, _KEPT_AT_ONCE // min(k, len(self))))
        starts = range(0, len(queries), step)

        def answer(start: int) -> None:
            part = queries[start : start + step]
            slack = np.array([rounding_slack(query, self._longest) for query in part], np.float32)
            proposed = propose(
                part,
                pool.matrix,
                min(k, max(len(pool.matrix), 1)),
                slack=slack,
                excluded=[pool.positions(rows) for rows in excluded[start : start + step]],
                forbidden=pool.forbidden,
            )
            for position, rows in enumerate(proposed, start):
                hits.put(position, *rank(self.vectors, pool.rows(rows), queries[position], k))

        if len(starts) == 1 or not len(pool.matrix):
            for start in starts:
                answer(start)
            return
        cores = len(os.sched_getaffinity(0))
        # One product per thread uses the cores better than several threads per product.
        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(cores) as threads:
            list(threads.map(answer, starts))


@dataclass(frozen=True, eq=False)
class _Pool:
    """The rows that one search compares: a copy of a few, else all with some forbidden."""

    matrix: Vectors
    chosen: Rows | None = None
    forbidden: Rows | None = None

    @classmethod
    def of(cls, vectors: Vectors, allowed: Mask | None) -> _Pool:
        if allowed is None:
            return cls(vectors)
        chosen = np.flatnonzero(allowed).astype(np.int32)
        if len(chosen) * 2 < len(vectors):
            return cls(vectors[chosen], chosen=chosen)
        return cls(vectors, forbidden=np.flatnonzero(~allowed).astype(np.int32))

    def rows(self, positions: Any) -> Rows:
        rows: Rows = positions if self.chosen is None else self.chosen[positions]
        return rows.astype(np.int32)

    def positions(self, rows: Rows) -> Rows:
        """Positions of ``rows`` in the matrix, without those that are not in it."""
        if self.chosen is None:
            return rows
        at = np.searchsorted(self.chosen, rows)
        found = at < len(self.chosen)
        found[found] = self.chosen[at[found]] == rows[found]
        return at[found].astype(np.int32)
