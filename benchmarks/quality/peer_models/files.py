"""Files that a peer reads and writes: interactions, queries, and ranked lists with scores.

numpy's own format without pickle, so that any environment can read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import sparse

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


AnyArrays = TypeVar("AnyArrays", bound="Arrays")


class Arrays:
    """A dataclass of arrays and whole numbers as a file."""

    def save(self, path: Path | IO[bytes]) -> None:
        """Write all attributes."""
        np.savez(path, **vars(self))

    @classmethod
    def load(cls: type[AnyArrays], path: Path) -> AnyArrays:
        """Read the file of :meth:`save`."""
        with np.load(path, allow_pickle=False) as held:
            parts = dict(held)
        return cls(**{name: each if each.ndim else int(each) for name, each in parts.items()})


@dataclass(frozen=True, eq=False)
class Log(Arrays):
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


@dataclass(frozen=True, eq=False)
class Queries(Arrays):
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


@dataclass(frozen=True, eq=False)
class RankedLists(Arrays):
    """Recommendations of a peer.

    Attributes:
        user: int32 ``[q]``, distinct.
        rows: Item rows, int32 ``[q, k]``, the best first.
        scores: float32 ``[q, k]``; -inf, with an arbitrary row, after the end of a short list.
    """

    user: Ints
    rows: Ints
    scores: Floats


def _ones(row: Ints, column: Ints, shape: tuple[int, int]) -> sparse.csr_matrix:
    matrix = sparse.csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix
