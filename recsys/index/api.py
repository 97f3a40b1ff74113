"""The base class of an index, its result, and the checks of its arguments.

Every implementation runs the same contract tests.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recsys.errors import DataError, InvalidRequestError
from recsys.ids import Mask, Rows, Vectors
from recsys.index.configs import ExactConfig, ScannConfig
from recsys.index.description import write_description
from recsys.index.scoring import longest

MAX_NORM = 1e18
"""Longest vector; the product of two longer ones would not fit a float32."""


@dataclass(frozen=True, eq=False)
class Hits:
    """The best rows of each query; valid ones first, best first, ties by the lower row.

    Attributes:
        rows: int32 ``[b, k]``; 0 where not valid.
        scores: Inner products, float32 ``[b, k]``; 0 where not valid.
        valid: bool ``[b, k]``; False where fewer than k rows were eligible.

    Example:
        >>> hits = Hits.empty(queries=2, k=3)
        >>> hits.put(0, np.array([7, 4]), np.array([0.9, 0.2]))
        >>> hits.at(0)[0].tolist(), hits.at(1)[0].tolist()
        ([7, 4], [])
    """

    rows: Rows
    scores: Vectors
    valid: Mask

    @classmethod
    def empty(cls, *, queries: int, k: int) -> Hits:
        """Hits of which none is valid yet."""
        shape = (queries, k)
        return cls(
            np.zeros(shape, np.int32), np.zeros(shape, np.float32), np.zeros(shape, np.bool_)
        )

    def put(self, query: int, rows: Rows, scores: Vectors) -> None:
        """Store the rows and scores ``[at most k]`` of one query; used by the index."""
        found = len(rows)
        self.rows[query, :found] = rows
        self.scores[query, :found] = scores
        self.valid[query, :found] = True

    def at(self, query: int) -> tuple[Rows, Vectors]:
        """The valid rows and scores of one query."""
        found = int(self.valid[query].sum())
        return self.rows[query, :found], self.scores[query, :found]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class Index(ABC):
    """Rows by inner product with a query. Immutable; ``search`` is thread-safe.

    Attributes:
        vectors: Indexed vectors, float32 ``[n, d]``.
        config: Configuration of the index.
    """

    vectors: Vectors
    config: ExactConfig | ScannConfig

    @property
    def facts(self) -> Mapping[str, Any]:
        """Result of the configuration (leaves searched, recall measured), as JSON values."""
        return {}

    @property
    def dimension(self) -> int:
        """Length of each vector."""
        return int(self.vectors.shape[1])

    def __len__(self) -> int:
        return len(self.vectors)

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        exclude: Sequence[Rows] | None = None,
        allowed: Mask | None = None,
    ) -> Hits:
        """The k best rows of each query.

        A query is never short while eligible rows exist, and its answer does not depend on the
        others in the batch.

        Args:
            queries: float32 ``[b, dimension]``.
            k: Number of rows, 1 or more; above the number of eligible rows, all of them.
            exclude: Rows per query that must not be hits.
            allowed: bool ``[n]``, the rows that may be hits.

        Raises:
            InvalidRequestError: A shape, dtype, row or number is out of range; ``field`` names it.
        """
        excluded = _check_search(self, queries, k, exclude, allowed)
        hits = Hits.empty(queries=len(queries), k=k)
        self._search(hits, queries, k, excluded, allowed)
        return hits

    def save(self, folder: Path) -> None:
        """Write the index, without its vectors, into a new or empty folder."""
        folder.mkdir(parents=True, exist_ok=True)
        write_description(folder, self.vectors, self.config, self.facts)

    @abstractmethod
    def _search(
        self, hits: Hits, queries: Vectors, k: int, excluded: Sequence[Rows], allowed: Mask | None
    ) -> None:
        """Fill ``hits`` for checked arguments; excluded rows are unique and ascending."""

    @cached_property
    def _longest(self) -> float:
        return longest(self.vectors)


def check_vectors(vectors: Vectors) -> Vectors:
    """The vectors to index, float32 ``[n >= 1, d >= 1]``, contiguous.

    Raises:
        DataError: They are of another shape or dtype, not finite, or longer than ``MAX_NORM``.
    """
    fault = _fault(vectors)
    if fault is None and not len(vectors):
        fault = "an index needs at least one vector; none came"
    if fault is not None:
        raise DataError(f"vectors to index: {fault}")
    return np.ascontiguousarray(vectors)


def _check_search(
    index: Index,
    queries: Vectors,
    k: int,
    exclude: Sequence[Rows] | None,
    allowed: Mask | None,
) -> list[Rows]:
    """Check the arguments of a search; return the unique excluded rows of each query, ascending."""
    items, dimension = index.vectors.shape
    fault = _fault(queries)
    if fault is not None:
        raise InvalidRequestError(f"queries: {fault}", field="queries")
    if queries.shape[1] != dimension:
        raise InvalidRequestError(
            f"queries must have {dimension} dimensions, as the index has; got {queries.shape[1]}",
            field="queries",
        )
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise InvalidRequestError(f"k must be a whole number of 1 or more; got {k!r}", field="k")
    if allowed is not None and (allowed.shape != (items,) or allowed.dtype != np.bool_):
        raise InvalidRequestError(
            f"allowed must be a bool mask of {items} rows; got {allowed.dtype} {allowed.shape}",
            field="allowed",
        )
    if exclude is None:
        return [np.empty(0, np.int32)] * len(queries)
    if len(exclude) != len(queries):
        raise InvalidRequestError(
            f"exclude must hold one list of rows per query; got {len(exclude)} for {len(queries)}",
            field="exclude",
        )
    unique = [np.unique(np.asarray(rows, np.int32)) for rows in exclude]
    for rows in unique:
        if len(rows) and (rows[0] < 0 or rows[-1] >= items):
            raise InvalidRequestError(
                f"excluded rows must be from 0 to {items - 1}; got {rows[0]} to {rows[-1]}",
                field="exclude",
            )
    return unique


def _fault(vectors: Vectors) -> str | None:
    if not isinstance(vectors, np.ndarray) or vectors.ndim != 2 or vectors.shape[1] == 0:
        shape = getattr(vectors, "shape", type(vectors).__name__)
        return f"expected an array of two dimensions, [rows, dimension]; got {shape}"
    if vectors.dtype != np.float32:
        return f"expected float32; got {vectors.dtype}"
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    wrong = np.flatnonzero(~(norms <= MAX_NORM))
    if len(wrong):
        return f"must be finite and no longer than {MAX_NORM:g}; row {wrong[0]} is not"
    return None
