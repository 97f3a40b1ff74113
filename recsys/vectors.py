"""Vectors of items or contents, and which of them exist."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.errors import DataError
from recsys.ids import Mask, Vectors

_ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True, eq=False)
class MaskedVectors:
    """One vector per row, or zeros where a row has none. Finite and read-only.

    Attributes:
        vectors: float32 ``[n, d]``.
        mask: bool ``[n]``; False where a row has no vector.

    Raises:
        DataError: A shape or dtype differs, a number is not finite, or a masked row is not zeros.

    Example:
        >>> masked = MaskedVectors(np.eye(2, dtype=np.float32), np.array([True, True]))
        >>> len(masked), masked.dimension
        (2, 2)
    """

    vectors: Vectors
    mask: Mask

    def __post_init__(self) -> None:
        vectors, mask = self.vectors, self.mask
        if vectors.ndim != 2 or vectors.dtype != np.float32:
            self._refuse(f"vectors must be float32 [n, d]; got {vectors.dtype} {vectors.shape}")
        if mask.shape != vectors.shape[:1] or mask.dtype != np.bool_:
            self._refuse(f"the mask must be bool [{len(vectors)}]; got {mask.dtype} {mask.shape}")
        for start in range(0, len(vectors), _ROWS_AT_ONCE):
            finite = np.isfinite(vectors[start : start + _ROWS_AT_ONCE]).all(axis=1)
            if not finite.all():
                row = start + int(np.argmin(finite))
                self._refuse(f"row {row} holds a number that is not finite")
        masked = np.flatnonzero(~mask)
        stray = masked[vectors[masked].any(axis=1)]
        if len(stray):
            self._refuse(f"row {int(stray[0])} is masked out but is not zeros")
        vectors.setflags(write=False)
        mask.setflags(write=False)

    def __len__(self) -> int:
        return len(self.mask)

    @property
    def dimension(self) -> int:
        """Length of each vector."""
        return int(self.vectors.shape[1])

    @property
    def label(self) -> str:
        """Name of these vectors in messages."""
        return "vectors"

    def _refuse(self, why: str) -> None:
        raise DataError(f"{self.label}: {why}")
