"""What a changing index holds at each version, and answers compared with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.index.data.datasets import SEED, Mixture
from recsys.ids import Mask, Rows, Vectors

_NEVER = np.iinfo(np.int64).max
_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Read:
    """An answer: the version that was read, the position of the query, hits and duration."""

    version: int
    query: int
    rows: Rows
    scores: Vectors
    seconds: float


@dataclass(frozen=True)
class Changes:
    """Changes of rows, each of another row, in the order in which they are written.

    Attributes:
        rows: Row of each change, int32 ``[c]``; those from ``items`` on are new.
        vectors: Vector that it gets, float32 ``[c, d]``.
        deletes: Whether it is deleted instead, bool ``[c]``.
        versions: Version that has the change, int64 ``[c]``; set when it is written.
        items: Number of rows before the changes.
        batch: Number of changes per write.
    """

    rows: Rows
    vectors: Vectors
    deletes: Mask
    versions: npt.NDArray[np.int64]
    items: int
    batch: int

    @classmethod
    def drawn(cls, items: int, count: int, batch: int, mixture: Mixture) -> Changes:
        """Of every four changes two are new vectors, one a deletion and one a new row."""
        rng = np.random.default_rng(SEED + 1)
        kinds = np.arange(count) % 4  # 0 and 1: new vector, 2: deletion, 3: new row
        rows = np.empty(count, np.int32)
        rows[kinds == 3] = np.arange(np.count_nonzero(kinds == 3)) + items
        old = kinds != 3
        rows[old] = rng.choice(items, np.count_nonzero(old), replace=False)
        vectors, _ = mixture.draw(rng, count)
        versions = np.full(count, _NEVER, np.int64)
        return cls(rows, vectors, kinds == 2, versions, items, batch)

    def batches(self) -> Iterator[slice]:
        """Changes of each write."""
        for start in range(0, len(self.rows), self.batch):
            yield slice(start, start + self.batch)

    def wrong_rows(self, items: Vectors, queries: Vectors, reads: Sequence[Read]) -> int:
        """Number of hits that their version did not hold, or with the score of another vector."""
        position = np.full(self.items + len(self.rows), -1, np.int64)
        position[self.rows] = np.arange(len(self.rows))
        wrong = 0
        for read in reads:
            change = position[read.rows]
            changed = (change >= 0) & (self.versions[change] <= read.version)
            gone = (changed & self.deletes[change]) | (~changed & (read.rows >= self.items))
            inside = np.minimum(read.rows, self.items - 1)
            vectors = np.where(changed[:, None], self.vectors[change], items[inside])
            other = np.abs(vectors @ queries[read.query] - read.scores) > _TOLERANCE
            wrong += int(np.count_nonzero(gone | other))
            wrong += len(read.rows) - len(np.unique(read.rows))
        return wrong

    def recalls(
        self, items: Vectors, queries: Vectors, reads: Sequence[Read], k: int
    ) -> npt.NDArray[Any]:
        """Share of the exact answer of its version that each answer holds."""
        shares = np.empty(len(reads))
        for number, read in enumerate(reads):
            query = queries[read.query]
            done = self.versions <= read.version
            scores = items @ query
            scores[self.rows[done & (self.rows < self.items)]] = -np.inf
            alive = np.concatenate([scores, self.vectors[done & ~self.deletes] @ query])
            last = np.partition(alive, -k)[-k]
            shares[number] = np.count_nonzero(read.scores >= last - _TOLERANCE) / k
        return shares
