"""The reference: every vector compared with every query, in plain numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recsys.ids import Mask, Rows, Vectors
from recsys.index.api import Hits, check_search, check_vectors
from recsys.index.configs import ExactConfig
from recsys.index.description import describe
from recsys.index.scoring import longest, rank, rounding_slack

_PRODUCTS_AT_ONCE = 1 << 24
"""At most so many float32 (64 MiB) are held while a batch is answered."""


@dataclass(frozen=True, eq=False)
class ExactIndex:
    """Exact search: a float32 matrix product proposes, exact scores decide.

    Build it with :meth:`of`.

    Example:
        >>> index = ExactIndex.of(np.array([[1, 0], [0, 1], [1, 0]], np.float32))
        >>> hits = index.search(np.array([[1, 0]], np.float32), k=2)
        >>> hits.rows.tolist(), hits.scores.tolist()
        ([[0, 2]], [[1.0, 1.0]])
    """

    vectors: Vectors
    config: ExactConfig = ExactConfig()

    @classmethod
    def of(cls, vectors: Vectors) -> ExactIndex:
        """Index float32 ``[n, d]``; the array is kept, not copied, and must not change.

        Raises:
            DataError: The vectors are not finite float32 of two dimensions, or none.
        """
        return cls(check_vectors(vectors))

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def dimension(self) -> int:
        """Length of each vector."""
        return int(self.vectors.shape[1])

    @property
    def facts(self) -> Mapping[str, Any]:
        """Nothing was tuned."""
        return {}

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        exclude: Sequence[Rows] | None = None,
        allowed: Mask | None = None,
    ) -> Hits:
        """The k best rows of each query; see :meth:`recsys.index.Index.search`."""
        excluded = check_search(
            queries, k, exclude, allowed, items=len(self), dimension=self.dimension
        )
        hits = Hits.empty(queries=len(queries), k=k)
        pool = _Pool.of(self.vectors, allowed)
        step = max(1, _PRODUCTS_AT_ONCE // max(1, len(pool.matrix)))
        for start in range(0, len(queries), step):
            products = queries[start : start + step] @ pool.matrix.T  # (step, pool)
            if pool.forbidden is not None:
                products[:, pool.forbidden] = -np.inf
            for position, product in enumerate(products, start):
                product[pool.positions(excluded[position])] = -np.inf
                hits.put(position, *self._best(product, pool, queries[position], k))
        return hits

    def save(self, folder: Path) -> None:
        """Write ``index.json``; there is nothing else to it."""
        folder.mkdir(parents=True, exist_ok=True)
        describe(self.vectors, self.config, {}).write(folder)

    def _best(self, product: Vectors, pool: _Pool, query: Vectors, k: int) -> tuple[Rows, Vectors]:
        eligible = int(np.count_nonzero(product > -np.inf))
        if eligible == 0:
            return np.empty(0, np.int32), np.empty(0, np.float32)
        kth = len(product) - min(k, eligible)
        threshold = np.partition(product, kth)[kth] - 2 * rounding_slack(query, self._longest)
        proposed = np.flatnonzero(product >= max(threshold, np.finfo(np.float32).min))
        return rank(self.vectors, pool.rows(proposed), query, k)

    @cached_property
    def _longest(self) -> float:
        return longest(self.vectors)


@dataclass(frozen=True, eq=False)
class _Pool:
    """The rows that one search looks at: a few by themselves, else all with some forbidden."""

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
        """Where in the matrix ``rows`` are; those that are not in it are left out."""
        if self.chosen is None:
            return rows
        at = np.searchsorted(self.chosen, rows)
        found = at < len(self.chosen)
        found[found] = self.chosen[at[found]] == rows[found]
        return at[found].astype(np.int32)
