"""Search of eligible rows by leaves."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from recsys.ids import Vectors
from recsys.index.arguments import SearchArguments
from recsys.index.hits import PLANS, Hits
from recsys.index.leaves.partition import LeafGroups, Partition
from recsys.index.rows import RowSet
from recsys.index.scoring import longest

_EFFORT = 0.9
"""Standard deviations by which the reach grows with the logarithm of the effort."""
_LEAST_REACH = 0.5


@dataclass(frozen=True, eq=False)
class LeafScan:
    """Search of the eligible rows in the leaves that can hold a hit.

    Attributes:
        vectors: Indexed vectors, float32 ``[n, d]``.
        partition: The leaf of each row, and codes.
        longest: Largest norm of a vector.
    """

    vectors: Vectors
    partition: Partition
    longest: float
    _groups: WeakKeyDictionary[RowSet, LeafGroups] = field(default_factory=WeakKeyDictionary)

    @classmethod
    def of(cls, vectors: Vectors, partition: Partition) -> LeafScan:
        """The search over a partition of ``vectors``."""
        return cls(vectors, partition, longest(vectors))

    def search(self, hits: Hits, arguments: SearchArguments, chosen: Any, *, reach: float) -> None:
        """Answer the queries at the positions ``chosen``, int64.

        Leaves are taken in the order of a bound, ``reach`` standard deviations above the score of
        their centroid, while it is not below the k-th score. With an infinite reach the bound is
        certain and the answer exact.
        """
        from recsys.index.leaves.kernels import scan_leaves
        from recsys.index.storage.elements import loop_argument

        if not math.isinf(reach):
            reach = max(reach + _EFFORT * math.log(arguments.effort), _LEAST_REACH)
        work = hits.work
        scan_leaves(
            loop_argument(self.vectors),
            arguments.queries,
            chosen,
            self.partition.arrays,
            self.groups(arguments.allowed).arrays,
            self.longest,
            reach,
            arguments.hidden,
            hits.arrays,
            (work.leaves, work.depth, work.read),
        )
        where = slice(None) if len(chosen) == len(arguments) else chosen
        work.plan[where] = PLANS.index("exact" if math.isinf(reach) else "leaves")
        work.eligible[where] = arguments.eligible(len(self.vectors))

    def groups(self, allowed: RowSet | None) -> LeafGroups:
        """The eligible rows by leaf, kept as long as the set lives."""
        if allowed is None:
            return self.partition.everything
        groups = self._groups.get(allowed)
        if groups is None:
            groups = self._groups[allowed] = self.partition.groups(allowed)
        return groups
