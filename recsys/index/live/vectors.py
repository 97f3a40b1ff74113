"""Vectors of a changing index in one version, read as an array is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.ids import Mask, Rows, Vectors
from recsys.index.live.delta import Delta

_AT_ONCE = 1 << 16


@dataclass(frozen=True, eq=False)
class LiveVectors:
    """Vectors of all rows in one version; a row that is not alive has zeros.

    It is indexed by a row, an array of rows, a slice or a mask, and gives float32 arrays, so that
    code for an array ``[n, d]`` also reads it.

    Attributes:
        base: Vectors of the base index, float32 ``[n, d]``.
        died: Version that hides each row of the base, int64 ``[n]``.
        delta: Vectors newer than the base.
        length: Number of entries of the delta that the version includes.
        version: Number of the version.
        size: Number of rows, with deleted ones.
        longest: Largest norm of a vector in the delta, or more.
    """

    base: Vectors
    died: npt.NDArray[np.int64]
    delta: Delta
    length: int
    version: int
    size: int
    longest: float
    ndim = 2
    dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of dimensions."""
        return self.size, int(self.base.shape[1])

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, key: Any) -> Vectors:
        if isinstance(key, slice):
            return self.read(np.arange(*key.indices(self.size), dtype=np.int32))
        chosen = np.asarray(key)
        rows: Any = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        if rows.size and (rows.min() < 0 or rows.max() >= self.size):
            raise IndexError(f"rows must be from 0 to {self.size - 1}")
        vectors = self.read(rows.reshape(-1))
        return vectors.reshape(*rows.shape, vectors.shape[1])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if copy is False:
            raise ValueError("the vectors of a live index are in several arrays; copy them")
        whole = np.empty(self.shape, np.float32)
        for start in range(0, self.size, _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            whole[part] = self[part]
        return whole if dtype is None else whole.astype(dtype)

    def read(self, rows: Rows) -> Vectors:
        """Vectors of ``rows``, each from 0 to ``size`` - 1, float32 ``[len(rows), d]``."""
        vectors = np.zeros((len(rows), self.shape[1]), np.float32)
        entries, in_base = self._find(rows)
        vectors[in_base] = self.base[rows[in_base]]
        in_delta = np.flatnonzero(entries >= 0)
        vectors[in_delta] = self.delta.vectors[entries[in_delta]]
        return vectors

    def alive(self, rows: Rows) -> Mask:
        """Whether each of ``rows`` has a vector, bool ``[len(rows)]``."""
        entries, in_base = self._find(rows)
        alive: Mask = entries >= 0
        alive[in_base] = True
        return alive

    @property
    def mask(self) -> Mask:
        """Whether each row has a vector, bool ``[size]``; computed on each call."""
        mask = np.zeros(self.size, np.bool_)
        mask[: len(self.died)] = self.died > self.version
        valid = self.delta.valid(self.length, self.version)
        mask[self.delta.rows[: self.length][valid]] = True
        return mask

    def _find(self, rows: Rows) -> tuple[Rows, Any]:
        """Entry of each row, -1 without a valid one; positions of the rows that the base holds."""
        entries = self.delta.entries(rows, self.length)
        fresh = np.flatnonzero(entries >= 0)
        entries[fresh[self.delta.died[entries[fresh]] <= self.version]] = -1
        inside = np.flatnonzero(rows < len(self.died))
        return entries, inside[self.died[rows[inside]] > self.version]
