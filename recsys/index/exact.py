"""The reference: every eligible vector compared with every query."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from threadpoolctl import threadpool_limits

from recsys.ids import Rows, Vectors
from recsys.index.api import Index
from recsys.index.arguments import SearchArguments, check_vectors
from recsys.index.configs import ExactConfig
from recsys.index.hits import Hits
from recsys.index.proposing import propose
from recsys.index.rows import RowSet
from recsys.index.scoring import rounding_slacks

_FEW_QUERIES = 4
"""Number of queries up to which one pass per query is faster than a matrix product."""
_FEW_NUMBERS = 1 << 18
"""Number of numbers in the eligible vectors up to which it is faster for any number of queries."""
_QUERIES_AT_ONCE = 512
_KEPT_AT_ONCE = 1 << 22
"""About the largest number of (query, row) pairs that wait to be ranked, in each thread."""
_COPIED = 1 << 26
"""Largest number of bytes of a copy that is kept with a set of rows."""
_NO_ROWS = np.empty(0, np.int32)


@dataclass(frozen=True, eq=False)
class ExactIndex(Index):
    """Exact search: a float32 product proposes, exact scores decide.

    Build it with :meth:`of`.

    Example:
        >>> index = ExactIndex.of(np.array([[1, 0], [0, 1], [1, 0]], np.float32))
        >>> hits = index.search(np.array([[1, 0]], np.float32), k=2)
        >>> hits.rows.tolist(), hits.scores.tolist()
        ([[0, 2]], [[1.0, 1.0]])
    """

    config: ExactConfig = ExactConfig()
    _copies: WeakKeyDictionary[RowSet, Vectors] = field(
        default_factory=WeakKeyDictionary, init=False, repr=False
    )

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
        eligible = arguments.eligible(len(self))
        hits.work.put(slice(None), "exact", eligible=eligible, depth=eligible, read=eligible)
        if not eligible:
            return
        few = len(arguments) <= _FEW_QUERIES or eligible * self.dimension <= _FEW_NUMBERS
        (self._scan if few else self._multiply)(hits, arguments)

    def _scan(self, hits: Hits, arguments: SearchArguments) -> None:
        from recsys.index.kernels import scan_rows
        from recsys.index.storage.elements import loop_argument

        allowed, vectors, rows = arguments.allowed, self.vectors, _NO_ROWS
        if allowed is not None:
            rows = allowed.rows
            if 4 * len(rows) * self.dimension <= _COPIED:
                vectors = self._copy(allowed)
        scan_rows(
            loop_argument(vectors),
            arguments.queries,
            rows,
            self._longest,
            arguments.hidden,
            hits.arrays,
        )

    def _multiply(self, hits: Hits, arguments: SearchArguments) -> None:
        from recsys.index.kernels import rank_rows
        from recsys.index.storage.elements import loop_argument

        pool, k = self._pool(arguments), min(arguments.k, len(self))
        slack = rounding_slacks(arguments.queries, self._longest).astype(np.float32)
        step = max(1, min(_QUERIES_AT_ONCE, _KEPT_AT_ONCE // k))

        def answer(start: int) -> None:
            chosen = np.arange(start, min(start + step, len(arguments)))
            proposed = propose(
                arguments.queries[chosen],
                pool.matrix,
                min(k, len(pool.matrix)),
                slack=slack[chosen],
                excluded=[pool.positions(arguments.excluded.at(int(query))) for query in chosen],
                forbidden=pool.forbidden,
            )
            rank_rows(
                loop_argument(self.vectors),
                arguments.queries,
                chosen,
                pool.rows(np.concatenate(proposed)),
                np.cumsum([len(rows) for rows in proposed]),
                arguments.hidden,
                hits.arrays,
            )

        starts = range(0, len(arguments), step)
        if len(starts) == 1:
            answer(0)
            return
        cores = len(os.sched_getaffinity(0))
        # One product per thread uses the cores better than several threads per product.
        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(cores) as threads:
            list(threads.map(answer, starts))

    def _pool(self, arguments: SearchArguments) -> _Pool:
        allowed, alive = arguments.allowed, arguments.alive
        hidden = alive.hidden if alive is not None and alive.count else None
        if allowed is None:
            return _Pool(self.vectors, forbidden=None if hidden is None else _rows(hidden))
        if len(allowed) * 2 < len(self):
            forbidden = None if hidden is None else _rows(hidden[allowed.rows])
            return _Pool(self._copy(allowed), allowed.rows, forbidden)
        mask = ~allowed.mask if hidden is None else ~allowed.mask | hidden
        return _Pool(self.vectors, forbidden=_rows(mask))

    def _copy(self, allowed: RowSet) -> Vectors:
        """The vectors of a set, kept as long as the set lives where they are small."""
        copy = self._copies.get(allowed)
        if copy is None:
            copy = self.vectors[allowed.rows]
            if copy.nbytes <= _COPIED:
                self._copies[allowed] = copy
        return copy


def _rows(mask: Any) -> Rows:
    return np.flatnonzero(mask).astype(np.int32)


@dataclass(frozen=True, eq=False)
class _Pool:
    """The rows that one search compares: a copy of a few, or all, with some forbidden.

    ``forbidden`` holds positions in the matrix; ``chosen`` the row of each position.
    """

    matrix: Vectors
    chosen: Rows | None = None
    forbidden: Rows | None = None

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
