"""A set of writes that take effect together, and its checks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.errors import InvalidRequestError
from recsys.ids import Rows, Vectors
from recsys.index.arguments import MAX_NORM
from recsys.index.live.vectors import LiveVectors

MOST_ROWS = np.iinfo(np.int32).max


@dataclass(frozen=True, eq=False)
class Change:
    """Writes that take effect together.

    Attributes:
        rows: Rows that get a vector, int32 ``[m]``, unique.
        vectors: Their vectors, float32 ``[m, d]``.
        deleted: Rows that lose theirs, int32, unique, none of them in ``rows``.
        size: Number of rows afterwards; a new row that is not in ``rows`` has no vector.

    Example:
        >>> change = Change.of(2, size=5, rows=[5], vectors=np.ones((1, 2), np.float32))
        >>> change.size
        6
    """

    rows: Rows
    vectors: Vectors
    deleted: Rows
    size: int

    @classmethod
    def of(
        cls,
        dimension: int,
        *,
        size: int,
        rows: Rows | list[int] | None = None,
        vectors: Vectors | None = None,
        deleted: Rows | list[int] | None = None,
        absent: Rows | list[int] | None = None,
    ) -> Change:
        """Writes to an index of ``size`` rows; new rows follow the last one without a gap.

        Rows in ``absent`` are new and have no vector.

        Raises:
            InvalidRequestError: A row is there twice, negative or leaves a gap, or the vectors are
                of another shape or dtype or not finite.
        """
        upserted, removed = _row_array(rows, "rows"), _row_array(deleted, "deleted")
        if vectors is None:
            vectors = np.empty((0, dimension), np.float32)
        _check_vectors(vectors, len(upserted), dimension)
        without = _row_array(absent, "rows")
        named = np.concatenate([upserted, removed, without])
        unique, counts = np.unique(named, return_counts=True)
        if len(unique) < len(named):
            raise InvalidRequestError(
                f"row {unique[counts > 1][0]} is there twice; give each row once per call",
                field="rows",
            )
        new = np.sort(np.concatenate([upserted[upserted >= size], without]))
        gap = np.flatnonzero(new != np.arange(size, size + len(new)))
        if len(gap):
            raise InvalidRequestError(
                f"new rows must follow the last row, {size - 1}, without a gap; got {new[gap[0]]} "
                f"where {size + gap[0]} was expected",
                field="rows",
            )
        vectors = np.array(vectors, np.float32, order="C")
        return cls(upserted, vectors, removed, size + len(new))

    def check(self, vectors: LiveVectors) -> None:
        """Check that every deleted row has a vector.

        Raises:
            InvalidRequestError: One has none.
        """
        known = self.deleted < vectors.size
        known[known] = vectors.alive(self.deleted[known])
        if not known.all():
            raise InvalidRequestError(
                f"row {self.deleted[~known][0]} cannot be deleted: it has no vector, or was "
                f"deleted before; the index has {vectors.size} rows",
                field="deleted",
            )

    def __len__(self) -> int:
        return len(self.rows) + len(self.deleted)


def _row_array(rows: Rows | list[int] | None, field: str) -> Rows:
    array = np.asarray([] if rows is None else rows)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise InvalidRequestError(
            f"{field} must be whole numbers in an array of one dimension; got {array.dtype} "
            f"{array.shape}",
            field=field,
        )
    if array.size and (array.min() < 0 or array.max() >= MOST_ROWS):
        raise InvalidRequestError(
            f"{field} must be from 0 to {MOST_ROWS - 1}; got {array.min()} to {array.max()}",
            field=field,
        )
    return array.astype(np.int32)


def _check_vectors(vectors: Vectors, rows: int, dimension: int) -> None:
    expected = f"vectors must be float32 [{rows}, {dimension}], one per row"
    if not isinstance(vectors, np.ndarray) or vectors.dtype != np.float32:
        got = getattr(vectors, "dtype", type(vectors).__name__)
        raise InvalidRequestError(f"{expected}; got {got}", field="vectors")
    if vectors.shape != (rows, dimension):
        raise InvalidRequestError(f"{expected}; got {vectors.shape}", field="vectors")
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    wrong = np.flatnonzero(~(norms <= MAX_NORM))
    if len(wrong):
        raise InvalidRequestError(
            f"vectors must be finite and no longer than {MAX_NORM:g}; number {wrong[0]} is not",
            field="vectors",
        )
