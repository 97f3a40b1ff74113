"""An index that changes: an immutable view of a base index, the rows it hides, and a delta."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from recsys.ids import Mask, Vectors
from recsys.index.api import Index
from recsys.index.arguments import Exclusions, SearchArguments
from recsys.index.hits import Hits
from recsys.index.live.delta import Delta
from recsys.index.live.files import save_live
from recsys.index.live.leaves import Leaves
from recsys.index.live.merging import merge
from recsys.index.live.vectors import LiveVectors
from recsys.index.rows import ALIVE, GrownRowSet, Liveness, RowSet

REACH = 8.0
"""``Base.reach`` before any is measured: a full radius in 64 dimensions."""


@dataclass(frozen=True, eq=False)
class Base:
    """A base index with what all views of it share.

    Attributes:
        index: Index over the rows 0 to n - 1.
        died: Version that hides each of its rows, int64 ``[n]``; written by the writer only.
        leaves: Leaves by which the delta is grouped.
        reach: Number of standard deviations that the best score of a group of the delta may be
            above the group's mean; infinite for exact search.
        built: Version whose rows the index holds.
        sets: The part of each row set that is in the base.
    """

    index: Index
    died: npt.NDArray[np.int64]
    leaves: Leaves
    reach: float
    built: int = 0
    sets: WeakKeyDictionary[RowSet, RowSet] = field(default_factory=WeakKeyDictionary)

    def part(self, allowed: RowSet) -> RowSet:
        """The rows of the set that are in the base; the same object on each call.

        Rows that the version hides can be among them or not.
        """
        if isinstance(allowed, GrownRowSet) and not self.built:
            allowed = allowed.first
        if allowed.size == len(self.index):
            return allowed
        part = self.sets.get(allowed)
        if part is None:
            inside = allowed.rows[: np.searchsorted(allowed.rows, len(self.index))]
            part = self.sets[allowed] = RowSet.of_rows(inside, len(self.index))
        return part


@dataclass(frozen=True)
class LiveCounts:
    """Numbers of rows in one version.

    Attributes:
        alive: Number of rows with a vector.
        fresh: Number of those whose vector is in the delta.
        hidden: Number of rows of the base that are deleted or replaced.
    """

    alive: int
    fresh: int
    hidden: int


@dataclass(frozen=True, eq=False)
class LiveIndex(Index):
    """One version of a changing index; immutable, as every index.

    A row keeps its number for ever: an update keeps it, a new item gets the next one, and a deleted
    row stays as a row that is never a hit. :class:`IndexWriter` makes the versions.

    Attributes:
        vectors: Vectors of all rows, read as an array is; zeros where a row is deleted.
        config: Configuration of the base.
        base: Index over the older rows.
        counts: Numbers of rows.

    Example:
        >>> from recsys.index import ExactIndex
        >>> live = LiveIndex.over(ExactIndex.of(np.eye(3, dtype=np.float32)))
        >>> live.search(np.eye(3, dtype=np.float32)[:1], k=1).rows.tolist()
        [[0]]
    """

    base: Base
    counts: LiveCounts

    @classmethod
    def over(cls, index: Index, *, alive: Mask | None = None, version: int = 0) -> LiveIndex:
        """A version without a delta, in which the rows where ``alive`` is False are deleted."""
        died = np.full(len(index), ALIVE, np.int64)
        if alive is not None:
            died[~alive] = version
        leaves = Leaves.of(index)
        delta = Delta.empty(rows=len(index), dimension=index.dimension)
        vectors = LiveVectors(index.vectors, died, delta, 0, version, len(index), 0.0)
        hidden = int(np.count_nonzero(died <= version))
        counts = LiveCounts(len(index) - hidden, 0, hidden)
        reach = REACH if len(leaves) > 1 else math.inf
        return cls(
            cast(Vectors, vectors), index.config, Base(index, died, leaves, reach, version), counts
        )

    @property
    def live_vectors(self) -> LiveVectors:
        """The vectors, with their full type."""
        return cast(LiveVectors, self.vectors)

    @property
    def version(self) -> int:
        """Number of the version; each write raises it by one."""
        return self.live_vectors.version

    @property
    def mask(self) -> Mask:
        """Whether each row has a vector, bool ``[n]``; computed on each call."""
        return self.live_vectors.mask

    @property
    def exact(self) -> LiveIndex:
        """Exact search of the same version."""
        base = dataclasses.replace(self.base, index=self.base.index.exact)
        return dataclasses.replace(self, base=base).with_reach(math.inf)

    def with_reach(self, reach: float) -> LiveIndex:
        """The same version with another ``Base.reach``."""
        return dataclasses.replace(self, base=dataclasses.replace(self.base, reach=reach))

    @property
    def changes(self) -> int:
        """Number of rows added, replaced or deleted since the base was built."""
        return max(self.counts.fresh, self.counts.hidden)

    @property
    def facts(self) -> Mapping[str, Any]:
        """Facts of the base, and the numbers of rows."""
        return {
            **self.base.index.facts,
            "version": self.version,
            "rows": dataclasses.asdict(self.counts),
        }

    def save(self, folder: Path) -> None:
        """Write the base, the delta and the deleted rows, without the vectors of the base."""
        save_live(self.base.index, self.live_vectors, folder)

    def _search(self, hits: Hits, arguments: SearchArguments) -> None:
        if self.counts.alive > self.counts.fresh:
            self.base.index._search(hits, self._base_arguments(arguments))
        if self.counts.fresh:
            merge(hits, arguments, self.live_vectors, self.base.reach)

    def _base_arguments(self, arguments: SearchArguments) -> SearchArguments:
        base, items = self.base, len(self.base.index)
        hidden = self.counts.hidden
        excluded, allowed = arguments.excluded, arguments.allowed
        return dataclasses.replace(
            arguments,
            excluded=excluded if len(self) == items else _below(excluded, items),
            allowed=None if allowed is None else base.part(allowed),
            alive=Liveness(base.died, self.version, hidden) if hidden else None,
        )


def _below(excluded: Exclusions, items: int) -> Exclusions:
    inside = np.concatenate([[0], np.cumsum(excluded.rows < items)])
    return Exclusions(excluded.rows[excluded.rows < items], inside[excluded.starts])
