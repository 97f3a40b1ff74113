"""Leaves of a base index, by which the rows of a delta are grouped."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from recsys.ids import Rows, Vectors
from recsys.index.api import Index
from recsys.index.scann.index import ScannIndex

_PRODUCTS_AT_ONCE = 1 << 22


@dataclass(frozen=True, eq=False)
class Leaves:
    """Centroids of the base's partitions; none where the base has no partitions.

    Attributes:
        centroids: float32 ``[leaves, d]``; one zero vector stands for a base without partitions.

    Example:
        >>> leaves = Leaves(np.array([[1, 0], [0, 1]], np.float32))
        >>> leaves.assign(np.array([[0.2, 0.9]], np.float32)).tolist()
        [1]
    """

    centroids: Vectors

    @classmethod
    def of(cls, index: Index) -> Leaves:
        """The leaves of an index."""
        if isinstance(index, ScannIndex) and index.leaves is not None:
            return cls(index.leaves.scan.partition.centroids)
        return cls(np.zeros((1, index.dimension), np.float32))

    def __len__(self) -> int:
        return len(self.centroids)

    def assign(self, vectors: Vectors) -> Rows:
        """The leaf with the nearest centroid of each vector, int32 ``[len(vectors)]``."""
        if len(self) == 1:
            return np.zeros(len(vectors), np.int32)
        leaf = np.empty(len(vectors), np.int32)
        step = max(1, _PRODUCTS_AT_ONCE // len(self))
        for start in range(0, len(vectors), step):
            part = slice(start, start + step)
            leaf[part] = np.argmax(vectors[part] @ self._across - self._half, axis=1)
        return leaf

    @cached_property
    def _across(self) -> Any:
        return np.ascontiguousarray(self.centroids.T)

    @cached_property
    def _half(self) -> Any:
        return 0.5 * np.einsum("ld,ld->l", self.centroids, self.centroids)
