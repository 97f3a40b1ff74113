"""A space: one matrix of item vectors, which items have one, and the index over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.errors import DataError
from recsys.ids import Mask, Rows, Vectors
from recsys.index import Hits, Index, IndexConfig, build_index, load_index
from recsys.index.scoring import exact_scores

TWO_TOWER = "two_tower"
"""What next: items by the item tower, queries by the query tower."""
TEXT = "text"
"""What reads like this: items and search terms by the text encoder."""
IMAGE = "image"
"""What looks like this: items and query pictures by the image encoder."""

_VECTORS, _AVAILABLE, _INDEX = "vectors.npy", "available.npy", "index"


@dataclass(frozen=True, eq=False)
class Space:
    """Items as vectors, and the index that searches them.

    Attributes:
        name: ``TWO_TOWER``, ``TEXT``, ``IMAGE`` or another content space's name.
        index: Over ``vectors``.
        vectors: float32 ``[items, d]`` in row order.
        mask: bool ``[items]``; False where an item has no vector here: it is never a hit.

    Example:
        >>> from recsys.index import ExactConfig
        >>> vectors = np.array([[3, 4], [0, 0]], np.float32)
        >>> space = Space.content("image", vectors, np.array([True, True]), ExactConfig())
        >>> space.vectors[0].tolist(), space.mask.tolist()
        ([0.6000000238418579, 0.800000011920929], [True, False])
    """

    name: str
    index: Index
    vectors: Vectors
    mask: Mask

    def __post_init__(self) -> None:
        shape = (len(self.index), self.index.dimension)
        if self.vectors.shape != shape or self.mask.shape != shape[:1]:
            raise DataError(
                f"space '{self.name}': the index holds {shape}, the vectors are "
                f"{self.vectors.shape}, the mask is {self.mask.shape}; they must agree"
            )
        if self.mask.dtype != np.bool_:
            raise DataError(f"space '{self.name}': the mask must be bool, not a number")

    @classmethod
    def two_tower(
        cls, vectors: Vectors, config: IndexConfig, *, queries: Vectors | None = None
    ) -> Space:
        """The space of the towers; every item has a vector.

        Args:
            vectors: The item tower's, float32 ``[items, d]``; kept as they are.
            config: Of the index.
            queries: The query tower's, float32 ``[q, d]``; what the index is tuned on.
        """
        index = build_index(vectors, config, queries=queries)
        return cls(TWO_TOWER, index, vectors, np.ones(len(vectors), np.bool_))

    @classmethod
    def content(cls, name: str, vectors: Vectors, mask: Mask, config: IndexConfig) -> Space:
        """A space of one feature block: vectors scaled to unit length, so that scores are cosines.

        An item of which the block holds nothing, or a vector of length zero, is not available.

        Raises:
            DataError: No item is available, or a vector is not finite.
        """
        norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
        available = mask & (norms > 0)
        if not available.any():
            raise DataError(f"space '{name}' would be empty: no item has a vector for it")
        scaled = np.zeros_like(vectors)
        scaled[available] = vectors[available] / norms[available, None]
        return cls(name, build_index(scaled, config), scaled, available)

    def search(self, queries: Vectors, k: int, *, exclude: Sequence[Rows]) -> Hits:
        """The k best available rows of each query, float32 ``[b, d]``, without those excluded."""
        allowed = None if self.mask.all() else self.mask
        return self.index.search(queries, min(k, len(self)), exclude=exclude, allowed=allowed)

    def scores(self, rows: Rows, query: Vectors) -> Vectors:
        """Inner products of ``rows`` with one query ``[d]``, float32 ``[len(rows)]``.

        They are those that :meth:`search` gives; 0 for a row that is not available.
        """
        there = self.mask[rows]
        scores = np.zeros(len(rows), np.float32)
        scores[there] = exact_scores(self.vectors, rows[there], query)
        return scores

    def save(self, folder: Path) -> None:
        """Write the vectors, the mask and the index into a new or empty folder."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / _VECTORS, self.vectors, allow_pickle=False)
        np.save(folder / _AVAILABLE, self.mask, allow_pickle=False)
        self.index.save(folder / _INDEX)

    @classmethod
    def load(cls, folder: Path, name: str) -> Space:
        """Read what :meth:`save` wrote; the vectors are memory-mapped.

        Raises:
            DataError: A file is missing or damaged, or the parts do not belong together.
        """
        try:
            vectors = np.load(folder / _VECTORS, mmap_mode="r", allow_pickle=False)
            available = np.load(folder / _AVAILABLE, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"cannot read the space in {folder}: {error}; index anew") from error
        return cls(name, load_index(folder / _INDEX, vectors), vectors, available)

    def __len__(self) -> int:
        return len(self.mask)
