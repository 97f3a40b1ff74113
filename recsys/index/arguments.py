"""Checked arguments of a search."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError, InvalidRequestError
from recsys.ids import Rows, Vectors
from recsys.index.rows import Liveness, RowSet
from recsys.index.storage import StoredVectors

MAX_NORM = 1e18
"""Longest vector; the product of two longer ones would not fit a float32."""
LEAST_EFFORT, MOST_EFFORT = 0.1, 10.0
Numbers = npt.NDArray[np.int64]
_NO_MASK, _NOBODY = np.empty(0, np.bool_), np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Exclusions:
    """Rows per query that must not be hits, in one flat array.

    Attributes:
        rows: Rows of the first query, then of the next, int32; ascending and unique per query.
        starts: Position of each query's first row, and the end, int64 ``[b + 1]``.

    Example:
        >>> excluded = Exclusions.of([[4, 2, 4], []], 10)
        >>> excluded.at(0).tolist(), excluded.counts.tolist()
        ([2, 4], [2, 0])
    """

    rows: Rows
    starts: Numbers

    @classmethod
    def none(cls, queries: int) -> Exclusions:
        """No row for any query."""
        return cls(np.empty(0, np.int32), np.zeros(queries + 1, np.int64))

    @classmethod
    def of(cls, exclude: Sequence[Rows] | Sequence[Sequence[int]], items: int) -> Exclusions:
        """Rows in any order, each from 0 to ``items`` - 1.

        Raises:
            InvalidRequestError: A row is out of range.
        """
        from recsys.index.kernels import order_excluded

        starts = np.zeros(len(exclude) + 1, np.int64)
        if len(exclude) == 1:
            rows = np.array(exclude[0], np.int64)
            starts[1] = len(rows)
        else:
            np.cumsum(np.fromiter(map(len, exclude), np.int64, len(exclude)), out=starts[1:])
            rows = np.concatenate([_NOBODY, *(np.asarray(each, np.int64) for each in exclude)])
        ordered = np.empty(len(rows), np.int32)
        wrong = order_excluded(rows, starts, items, ordered)
        if wrong >= 0:
            raise InvalidRequestError(
                f"excluded rows must be from 0 to {items - 1}; got {rows[wrong]}", field="exclude"
            )
        return cls(ordered[: starts[-1]], starts)

    @property
    def counts(self) -> Numbers:
        """Number of excluded rows per query, int64 ``[b]``."""
        return np.diff(self.starts)

    def at(self, query: int) -> Rows:
        """Excluded rows of one query."""
        return self.rows[self.starts[query] : self.starts[query + 1]]

    def take(self, queries: Numbers) -> Exclusions:
        """The exclusions of some of the queries."""
        counts = self.counts[queries]
        starts = np.concatenate([[0], np.cumsum(counts)])
        shift = np.repeat(self.starts[queries] - starts[:-1], counts)
        return Exclusions(self.rows[np.arange(starts[-1]) + shift], starts)


@dataclass(frozen=True, eq=False)
class SearchArguments:
    """Arguments of ``Index.search`` after its checks.

    Attributes:
        queries: float32 ``[b, d]``, contiguous.
        k: Number of rows per query.
        excluded: Rows per query that must not be hits.
        allowed: Rows that may be hits; None for all.
        alive: Rows that are not deleted; None for all.
        effort: Cost relative to the tuned one.
    """

    queries: Vectors
    k: int
    excluded: Exclusions
    allowed: RowSet | None = None
    alive: Liveness | None = None
    effort: float = 1.0

    @property
    def hidden(self) -> tuple[Any, ...]:
        """Rows that must not be hits, as the loops of ``recsys.index.kernels`` take them."""
        mask = _NO_MASK if self.allowed is None else self.allowed.mask
        died, version = _NOBODY, 0
        if self.alive is not None and self.alive.count:
            died, version = self.alive.died, self.alive.version
        return mask, died, version, self.excluded.rows, self.excluded.starts

    def eligible(self, items: int) -> int:
        """Number of rows that the filter allows; without a filter, of those not deleted."""
        if self.allowed is not None:
            return len(self.allowed)
        return items - (0 if self.alive is None else self.alive.count)

    def take(self, queries: Any) -> SearchArguments:
        """The arguments of some of the queries, int64 positions."""
        part = np.ascontiguousarray(self.queries[queries])
        return dataclasses.replace(self, queries=part, excluded=self.excluded.take(queries))

    def __len__(self) -> int:
        return len(self.queries)


def check_vectors(vectors: Vectors) -> Vectors:
    """The vectors to index, float32 ``[n >= 1, d >= 1]``, contiguous.

    Raises:
        DataError: They are of another shape or dtype, not finite, or longer than ``MAX_NORM``.
    """
    if isinstance(vectors, StoredVectors):  # of vectors that were checked
        return vectors
    fault = _fault(vectors)
    if fault is None and not len(vectors):
        fault = "an index needs at least one vector; none came"
    if fault is not None:
        raise DataError(f"vectors to index: {fault}")
    return np.ascontiguousarray(vectors)


def check_search(
    shape: tuple[int, int],
    queries: Vectors,
    k: int,
    *,
    exclude: Sequence[Rows] | None,
    allowed: RowSet | None,
    effort: float,
) -> SearchArguments:
    """The arguments of a search of an index of ``shape`` (rows, dimension).

    Raises:
        InvalidRequestError: A shape, dtype, row or number is out of range; ``field`` names it.
    """
    items, dimension = shape
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
    if allowed is not None and (not isinstance(allowed, RowSet) or allowed.size != items):
        got = f"a RowSet of {allowed.size}" if isinstance(allowed, RowSet) else type(allowed)
        raise InvalidRequestError(
            f"allowed must be a RowSet of {items} rows; got {got}", field="allowed"
        )
    if not LEAST_EFFORT <= effort <= MOST_EFFORT:
        raise InvalidRequestError(
            f"effort must be from {LEAST_EFFORT} to {MOST_EFFORT:g}; got {effort!r}", field="effort"
        )
    if exclude is None:
        excluded = Exclusions.none(len(queries))
    elif len(exclude) != len(queries):
        raise InvalidRequestError(
            f"exclude must hold one list of rows per query; got {len(exclude)} for {len(queries)}",
            field="exclude",
        )
    else:
        excluded = Exclusions.of(exclude, items)
    queries = np.ascontiguousarray(queries)
    return SearchArguments(queries, int(k), excluded, allowed, effort=float(effort))


def _fault(vectors: Vectors) -> str | None:
    if not isinstance(vectors, np.ndarray) or vectors.ndim != 2 or vectors.shape[1] == 0:
        shape = getattr(vectors, "shape", type(vectors).__name__)
        return f"expected an array of two dimensions, [rows, dimension]; got {shape}"
    if vectors.dtype != np.float32:
        return f"expected float32; got {vectors.dtype}"
    if np.vdot(vectors, vectors) <= MAX_NORM**2:  # Then each is, and the sum takes far less time.
        return None
    squares = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)
    valid = squares <= MAX_NORM**2
    if valid.all():
        return None
    return f"must be finite and no longer than {MAX_NORM:g}; row {np.argmin(valid)} is not"
