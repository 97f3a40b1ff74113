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
        in_base = self._in_base(rows)
        if in_base.all():
            return np.array(self.base[rows], np.float32)
        vectors = np.zeros((len(rows), self.shape[1]), np.float32)
        vectors[in_base] = self.base[rows[in_base]]
        entries = self._entries(rows)
        in_delta = np.flatnonzero(entries >= 0)
        vectors[in_delta] = self.delta.vectors[entries[in_delta]]
        return vectors

    def alive(self, rows: Rows) -> Mask:
        """Whether each of ``rows`` has a vector, bool ``[len(rows)]``."""
        alive = self._in_base(rows)
        return alive if alive.all() else alive | (self._entries(rows) >= 0)

    @property
    def mask(self) -> Mask:
        """Whether each row has a vector, bool ``[size]``; computed on each call."""
        mask = np.zeros(self.size, np.bool_)
        mask[: len(self.died)] = self.died > self.version
        valid = self.delta.valid(self.length, self.version)
        mask[self.delta.rows[: self.length][valid]] = True
        return mask

    def _in_base(self, rows: Rows) -> Mask:
        """Whether the base holds the vector of each row."""
        inside: Mask = rows < len(self.died)
        if inside.all():
            return self.died[rows] > self.version
        inside[inside] = self.died[rows[inside]] > self.version
        return inside

    def _entries(self, rows: Rows) -> Rows:
        """Entry of each row in the delta, -1 without a valid one."""
        if not self.length:
            return np.full(len(rows), -1, np.int32)
        entries = self.delta.entries(rows, self.length)
        fresh = np.flatnonzero(entries >= 0)
        entries[fresh[self.delta.died[entries[fresh]] <= self.version]] = -1
        return entries
