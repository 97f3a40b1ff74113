"""A space: one matrix of item vectors, which items have one, and the index over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np

from recsys.errors import DataError
from recsys.ids import Mask, Rows, Vectors
from recsys.index import Hits, Index, IndexConfig, RowSet, build_index, load_index
from recsys.index.audit import RecallAudit
from recsys.index.building import Queries
from recsys.index.scoring import exact_scores
from recsys.index.storage import load_vectors, save_vectors
from recsys.vectors import MaskedVectors
from recsys_client.request import TWO_TOWER

_MASK, _INDEX = "mask.npy", "index"


@dataclass(frozen=True, eq=False)
class Space(MaskedVectors):
    """Items as vectors, and the index that searches them.

    An item whose mask is False has no vector here and is never a hit.

    Attributes:
        name: ``TWO_TOWER``, ``TEXT``, ``IMAGE`` or the name of another content space.
        index: Index over ``vectors``.

    Raises:
        DataError: The vectors are not valid, or the index is over others.

    Example:
        >>> from recsys.index import ExactConfig
        >>> vectors = np.array([[3, 4], [0, 0]], np.float32)
        >>> space = Space.content("image", vectors, np.array([True, True]), ExactConfig())
        >>> space.vectors[0].tolist(), space.mask.tolist()
        ([0.6000000238418579, 0.800000011920929], [True, False])
    """

    name: str
    index: Index

    def __post_init__(self) -> None:
        super().__post_init__()
        shape = (len(self.index), self.index.dimension)
        if self.vectors.shape != shape:
            self._refuse(f"the index is over {shape}, the vectors are {self.vectors.shape}")

    @property
    def label(self) -> str:
        """Name of the space in messages."""
        return f"space '{self.name}'"

    @classmethod
    def two_tower(
        cls, vectors: Vectors, config: IndexConfig, *, queries: Queries | None = None
    ) -> Space:
        """The space of the towers, in which every item has a vector, float32 ``[items, d]``.

        The index is tuned on ``queries``, output of the query tower, float32 ``[q, d]``, or several
        kinds of them by name.
        """
        index = build_index(vectors, config, queries=queries)
        return cls(index.vectors, np.ones(len(vectors), np.bool_), TWO_TOWER, index)

    @classmethod
    def content(
        cls,
        name: str,
        vectors: Vectors,
        mask: Mask,
        config: IndexConfig,
        *,
        queries: Queries | None = None,
    ) -> Space:
        """The space of a feature block; vectors get unit length, so that scores are cosines.

        An item whose vector has length zero is masked. The index is tuned on ``queries``, float32
        ``[q, d]``, or on several kinds of them by name; without any, on the items.

        Raises:
            DataError: No item has a vector, or a vector is not finite.
        """
        norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
        if not np.isfinite(norms[mask]).all():
            raise DataError(f"space '{name}': a vector holds a number that is not finite")
        mask = mask & (norms > 0)
        if not mask.any():
            raise DataError(f"space '{name}' would be empty: no item has a vector for it")
        scaled = np.zeros_like(vectors)
        scaled[mask] = vectors[mask] / norms[mask, None]
        index = build_index(scaled, config, queries=queries)
        return cls(index.vectors, mask, name, index)

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        exclude: Sequence[Rows],
        allowed: RowSet | None = None,
        effort: float = 1.0,
        audit: RecallAudit | None = None,
    ) -> Hits:
        """The k best rows of each query, float32 ``[b, d]``, without masked and excluded ones.

        Args:
            queries: Query vectors.
            k: Number of rows per query.
            exclude: Rows per query that must not be hits.
            allowed: Rows that may be hits, or None for all.
            effort: Cost relative to the tuned search, 0.1 to 10.
            audit: Audit that is shown the search.
        """
        k, eligible = min(k, len(self)), self._eligible(allowed)
        hits = self.index.search(queries, k, exclude=exclude, allowed=eligible, effort=effort)
        if audit is not None:
            audit.observe(
                self.name,
                self.index,
                queries,
                hits,
                k=k,
                exclude=exclude,
                allowed=eligible,
                filtered=allowed is not None,
                effort=effort,
            )
        return hits

    def _eligible(self, allowed: RowSet | None) -> RowSet | None:
        """The allowed rows that have a vector; the same object for the same ``allowed``."""
        present = self._present
        if allowed is None or present is None:
            return present if allowed is None else allowed
        if allowed not in self._combined:
            # Two threads may both make it; all get the one that was stored first.
            self._combined.setdefault(allowed, allowed & present)
        return self._combined[allowed]

    @cached_property
    def _present(self) -> RowSet | None:
        return None if self.mask.all() else RowSet.of_mask(self.mask)

    @cached_property
    def _combined(self) -> WeakKeyDictionary[RowSet, RowSet]:
        return WeakKeyDictionary()

    def scores(self, rows: Rows, query: Vectors) -> Vectors:
        """Inner products of ``rows`` with one query ``[d]``, float32 ``[len(rows)]``.

        They equal those of :meth:`search`; a masked row has 0.
        """
        present = self.mask[rows]
        scores = np.zeros(len(rows), np.float32)
        scores[present] = exact_scores(self.vectors, rows[present], query)
        return scores

    def save(self, folder: Path) -> None:
        """Write the vectors, the mask and the index into a new or empty folder."""
        folder.mkdir(parents=True, exist_ok=True)
        save_vectors(folder, self.vectors)
        np.save(folder / _MASK, self.mask, allow_pickle=False)
        self.index.save(folder / _INDEX)

    @classmethod
    def load(cls, folder: Path, name: str) -> Space:
        """Read what :meth:`save` wrote; the vectors stay in the file, mapped into memory.

        Raises:
            DataError: A file is missing or damaged, or the parts do not belong together.
        """
        try:
            vectors = load_vectors(folder)
            mask = np.load(folder / _MASK, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            message = f"cannot read the space in {folder}: {error}; index again"
            raise DataError(message) from error
        return cls(vectors, mask, name, load_index(folder / _INDEX, vectors))
