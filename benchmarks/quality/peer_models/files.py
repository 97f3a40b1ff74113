"""Files that a peer reads and writes: interactions, queries, and ranked lists with scores.

numpy's own format without pickle, so that any environment can read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from scipy import sparse

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Log:
    """Training interactions by user, the oldest first.

    Attributes:
        user: int32 ``[n]``.
        item: int32 ``[n]``.
        users: Number of users.
        items: Number of items.
    """

    user: Ints
    item: Ints
    users: int
    items: int

    def matrix(self) -> sparse.csr_matrix:
        """Interactions as ones, float32 ``[users, items]``."""
        return _ones(self.user, self.item, (self.users, self.items))

    def save(self, path: Path | IO[bytes]) -> None:
        size = np.array([self.users, self.items], np.int64)
        np.savez(path, user=self.user, item=self.item, size=size)

    @classmethod
    def load(cls, path: Path) -> Log:
        with np.load(path, allow_pickle=False) as held:
            users, items = map(int, held["size"])
            return cls(held["user"], held["item"], users, items)


@dataclass(frozen=True, eq=False)
class Queries:
    """Queries: a user each, and the user's history.

    Attributes:
        user: int32 ``[q]``, distinct.
        start: Bounds of the histories in ``item``, int64 ``[q + 1]``.
        item: All histories, the oldest item first, int32.
        items: Number of items.
    """

    user: Ints
    start: npt.NDArray[np.int64]
    item: Ints
    items: int

    def __len__(self) -> int:
        return len(self.user)

    def part(self, low: int, high: int) -> Queries:
        """Queries ``low`` up to, not including, ``high``."""
        user = self.user[low:high]
        start = self.start[low : low + len(user) + 1]
        return Queries(user, start - start[0], self.item[start[0] : start[-1]], self.items)

    def matrix(self, last: int | None = None) -> sparse.csr_matrix:
        """Histories, or their ``last`` items, as ones, float32 ``[q, items]``."""
        lengths = np.diff(self.start)
        query = np.repeat(np.arange(len(self)), lengths)
        item = self.item
        if last is not None:
            keep = self.start[1:][query] - np.arange(len(query)) <= last
            query, item = query[keep], item[keep]
        return _ones(query, item, (len(self), self.items))

    def save(self, path: Path | IO[bytes]) -> None:
        size = np.array([self.items], np.int64)
        np.savez(path, user=self.user, start=self.start, item=self.item, size=size)

    @classmethod
    def load(cls, path: Path) -> Queries:
        with np.load(path, allow_pickle=False) as held:
            return cls(held["user"], held["start"], held["item"], int(held["size"][0]))


@dataclass(frozen=True, eq=False)
class RankedLists:
    """Recommendations of a peer.

    Attributes:
        user: int32 ``[q]``, distinct.
        rows: Item rows, int32 ``[q, k]``, the best first.
        scores: float32 ``[q, k]``; -inf, with an arbitrary row, after the end of a short list.
    """

    user: Ints
    rows: Ints
    scores: Floats

    def save(self, path: Path | IO[bytes]) -> None:
        np.savez(path, user=self.user, rows=self.rows, scores=self.scores)

    @classmethod
    def load(cls, path: Path) -> RankedLists:
        with np.load(path, allow_pickle=False) as held:
            return cls(held["user"], held["rows"], held["scores"])


def _ones(row: Ints, column: Ints, shape: tuple[int, int]) -> sparse.csr_matrix:
    matrix = sparse.csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix
