"""Search of eligible rows by leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from recsys.ids import Vectors
from recsys.index.arguments import SearchArguments
from recsys.index.hits import PLANS, Hits
from recsys.index.leaves.partition import LeafGroups, Partition
from recsys.index.rows import RowSet
from recsys.index.scoring import longest

_EFFORT = 3
"""Power of the effort by which fewer hits may be missed."""


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
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def of(cls, vectors: Vectors, partition: Partition) -> LeafScan:
        """The search over a partition of ``vectors``."""
        return cls(vectors, partition, longest(vectors))

    def search(self, hits: Hits, arguments: SearchArguments, chosen: Any, *, misses: float) -> None:
        """Answer the queries at the positions ``chosen``, int64.

        Groups of eligible rows are read until the expected number of hits in the others is at most
        ``misses`` per hit.
        """
        from recsys.index.leaves.kernels import scan_leaves
        from recsys.index.storage.elements import loop_argument

        work = hits.work
        scan_leaves(
            loop_argument(self.vectors),
            arguments.queries,
            chosen,
            self.partition.arrays,
            self.groups(arguments.allowed).arrays,
            self.longest,
            misses / arguments.effort**_EFFORT,
            arguments.hidden,
            hits.arrays,
            (work.leaves, work.depth, work.read),
        )
        where = slice(None) if len(chosen) == len(arguments) else chosen
        work.plan[where] = PLANS.index("leaves")
        work.eligible[where] = arguments.eligible(len(self.vectors))

    def groups(self, allowed: RowSet | None) -> LeafGroups:
        """The eligible rows by leaf.

        Those of the latest sets are kept as long as a set lives, up to as much memory as the
        partition takes.
        """
        if allowed is None:
            return self.partition.everything
        with self._lock:
            groups = self._groups.pop(allowed, None)
            if groups is not None:
                self._groups[allowed] = groups  # The last one in the order of the dictionary.
                return groups
        groups = self.partition.groups(allowed)
        with self._lock:
            self._groups[allowed] = groups
            self._drop_oldest()
        return groups

    def _drop_oldest(self) -> None:
        kept = list(self._groups.items())
        excess = sum(groups.bytes for _, groups in kept) - self.partition.bytes
        for allowed, groups in kept[:-1]:
            if excess <= 0:
                return
            self._groups.pop(allowed, None)
            excess -= groups.bytes
