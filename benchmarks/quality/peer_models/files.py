"""What a peer reads and writes: interactions, queries, and lists of items with their scores.

numpy's own files, without pickle, so that any environment can read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Log:
    """Interactions to learn from, by user and, for each, oldest first.

    Attributes:
        user: int32 ``[n]``.
        item: int32 ``[n]``.
        users: How many users there are.
        items: How many items.
    """

    user: Ints
    item: Ints
    users: int
    items: int

    def matrix(self) -> sparse.csr_matrix:
        """Who met what, float32 ``[users, items]`` of ones."""
        return _ones(self.user, self.item, (self.users, self.items))

    def save(self, path: Path) -> None:
        """Write it."""
        size = np.array([self.users, self.items], np.int64)
        np.savez(path, user=self.user, item=self.item, size=size)

    @classmethod
    def load(cls, path: Path) -> Log:
        """Read it."""
        with np.load(path, allow_pickle=False) as held:
            users, items = map(int, held["size"])
            return cls(held["user"], held["item"], users, items)


@dataclass(frozen=True, eq=False)
class Queries:
    """Whom to recommend to: a user each, and the user's history.

    Attributes:
        user: int32 ``[q]``, each once.
        start: Where each history begins and ends in ``item``, int64 ``[q + 1]``.
        item: All histories, oldest first, int32.
        items: How many items there are.
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
        """Histories, or their ``last`` items, float32 ``[q, items]`` of ones."""
        lengths = np.diff(self.start)
        owner = np.repeat(np.arange(len(self)), lengths)
        item = self.item
        if last is not None:
            keep = self.start[1:][owner] - np.arange(len(owner)) <= last
            owner, item = owner[keep], item[keep]
        return _ones(owner, item, (len(self), self.items))

    def save(self, path: Path) -> None:
        """Write them."""
        size = np.array([self.items], np.int64)
        np.savez(path, user=self.user, start=self.start, item=self.item, size=size)

    @classmethod
    def load(cls, path: Path) -> Queries:
        """Read them."""
        with np.load(path, allow_pickle=False) as held:
            return cls(held["user"], held["start"], held["item"], int(held["size"][0]))


@dataclass(frozen=True, eq=False)
class Lists:
    """What a peer recommends.

    Attributes:
        user: int32 ``[q]``, each once.
        rows: Item rows, int32 ``[q, k]``, best first.
        scores: float32 ``[q, k]``; -inf where a list is shorter than k, and its row means nothing.
    """

    user: Ints
    rows: Ints
    scores: Floats

    def save(self, path: Path) -> None:
        """Write them."""
        np.savez(path, user=self.user, rows=self.rows, scores=self.scores)

    @classmethod
    def load(cls, path: Path) -> Lists:
        """Read them."""
        with np.load(path, allow_pickle=False) as held:
            return cls(held["user"], held["rows"], held["scores"])


def _ones(row: Ints, column: Ints, shape: tuple[int, int]) -> sparse.csr_matrix:
    matrix = sparse.csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1  # an item met twice counts once
    return matrix
