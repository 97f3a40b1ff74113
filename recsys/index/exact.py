"""The reference: every vector compared with every query, in plain numpy."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from recsys.ids import Rows, Vectors
from recsys.index.api import Index
from recsys.index.arguments import SearchArguments, check_vectors
from recsys.index.configs import ExactConfig
from recsys.index.hits import Hits
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

    @property
    def exact(self) -> ExactIndex:
        """This index."""
        return self

    def _search(self, hits: Hits, arguments: SearchArguments) -> None:
        queries, k, excluded = arguments.queries, arguments.k, arguments.excluded
        pool = _Pool.of(self.vectors, arguments)
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
                excluded=[
                    pool.positions(excluded.at(query)) for query in range(start, start + len(part))
                ],
                forbidden=pool.forbidden,
            )
            for position, rows in enumerate(proposed, start):
                hits.put(position, *rank(self.vectors, pool.rows(rows), queries[position], k))

        eligible = pool.eligible
        hits.work.put(slice(None), "exact", eligible=eligible, depth=eligible, read=eligible)
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
    eligible: int
    chosen: Rows | None = None
    forbidden: Rows | None = None

    @classmethod
    def of(cls, vectors: Vectors, arguments: SearchArguments) -> _Pool:
        allowed, alive = arguments.allowed, arguments.alive
        if allowed is None and (alive is None or not alive.count):
            return cls(vectors, len(vectors))
        mask = np.ones(len(vectors), np.bool_) if allowed is None else allowed.mask.copy()
        if alive is not None:
            mask &= ~alive.hidden
        chosen = np.flatnonzero(mask).astype(np.int32)
        if len(chosen) * 2 < len(vectors):
            return cls(vectors[chosen], len(chosen), chosen=chosen)
        forbidden = np.flatnonzero(~mask).astype(np.int32)
        return cls(vectors, len(chosen), forbidden=forbidden)

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
