"""The result of a search: rows and scores per query, and the work that they took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from recsys.ids import Mask, Rows, Vectors

PLANS = ("none", "exact", "scann", "leaves", "milvus")
"""Ways to answer a query; ``SearchWork.plan`` holds positions in it."""
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class QueryWork:
    """The work of one search: its plan, and numbers of rows and leaves.

    Attributes:
        plan: "exact" (every eligible row), "scann" (ScaNN's leaves), "leaves" (eligible rows of the
            leaves that can hold a hit), "milvus", or "none" (no row is eligible).
        eligible: Number of rows that the filter allows; without a filter, of those not deleted.
        leaves: Number of leaves searched; 0 where the plan has none.
        depth: Number of candidates whose score was computed exactly.
        read: Number of rows compared with the query, by codes or by vectors.
    """

    plan: str
    eligible: int
    leaves: int
    depth: int
    read: int


@dataclass(frozen=True, eq=False)
class SearchWork:
    """The same for a batch, one value per query.

    Attributes:
        plan: Position in ``PLANS``, int8 ``[b]``.
        eligible: int64 ``[b]``.
        leaves: int64 ``[b]``.
        depth: int64 ``[b]``.
        read: int64 ``[b]``.

    Example:
        >>> work = SearchWork.empty(2)
        >>> work.put(slice(None), "exact", eligible=10, depth=10, read=10)
        >>> work.at(1)
        QueryWork(plan='exact', eligible=10, leaves=0, depth=10, read=10)
    """

    NAMES: ClassVar = ("plan", "eligible", "leaves", "depth", "read")
    plan: npt.NDArray[np.int8]
    eligible: Counts
    leaves: Counts
    depth: Counts
    read: Counts

    @classmethod
    def empty(cls, queries: int) -> SearchWork:
        """Nothing searched yet."""
        return cls(np.zeros(queries, np.int8), *np.zeros((4, queries), np.int64))

    def put(
        self, queries: Any, plan: str, *, eligible: Any, depth: Any, read: Any, leaves: Any = 0
    ) -> None:
        """Store the work of some queries, given as an index, slice or array; used by the index."""
        self.plan[queries] = PLANS.index(plan)
        self.eligible[queries] = eligible
        self.leaves[queries] = leaves
        self.depth[queries] = depth
        self.read[queries] = read

    def at(self, query: int) -> QueryWork:
        """The work of one query."""
        numbers = (self.eligible, self.leaves, self.depth, self.read)
        return QueryWork(PLANS[self.plan[query]], *(int(each[query]) for each in numbers))


@dataclass(frozen=True, eq=False)
class Hits:
    """The best rows of each query; valid ones first, best first, ties by the lower row.

    Attributes:
        rows: int32 ``[b, k]``; 0 where not valid.
        scores: Inner products, float32 ``[b, k]``; 0 where not valid.
        valid: bool ``[b, k]``; False where fewer than k rows were eligible.
        work: Plan, leaves and rows read of each query.

    Example:
        >>> hits = Hits.empty(queries=2, k=3)
        >>> hits.put(0, np.array([7, 4]), np.array([0.9, 0.2]))
        >>> hits.at(0)[0].tolist(), hits.at(1)[0].tolist()
        ([7, 4], [])
    """

    rows: Rows
    scores: Vectors
    valid: Mask
    work: SearchWork

    @classmethod
    def empty(cls, *, queries: int, k: int) -> Hits:
        """Hits of which none is valid yet."""
        shape = (queries, k)
        return cls(
            np.zeros(shape, np.int32),
            np.zeros(shape, np.float32),
            np.zeros(shape, np.bool_),
            SearchWork.empty(queries),
        )

    def put(self, query: int, rows: Rows, scores: Vectors) -> None:
        """Store the rows and scores ``[at most k]`` of one query; used by the index."""
        found = len(rows)
        self.rows[query, :found] = rows
        self.scores[query, :found] = scores
        self.valid[query, :found] = True

    def store(self, queries: Any, part: Hits) -> None:
        """Store the hits and the work of some queries, int64 positions; used by the index."""
        for whole, own in (
            (self.rows, part.rows),
            (self.scores, part.scores),
            (self.valid, part.valid),
            *((getattr(self.work, name), getattr(part.work, name)) for name in SearchWork.NAMES),
        ):
            whole[queries] = own

    @property
    def arrays(self) -> tuple[Any, ...]:
        """Rows, scores and validity, to be written by a loop of ``recsys.index.kernels``."""
        return self.rows, self.scores, self.valid

    def at(self, query: int) -> tuple[Rows, Vectors]:
        """The valid rows and scores of one query."""
        found = int(self.valid[query].sum())
        return self.rows[query, :found], self.scores[query, :found]

    def __len__(self) -> int:
        return len(self.rows)
