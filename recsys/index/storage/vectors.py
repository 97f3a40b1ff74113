"""Vectors in two bytes or one byte per dimension, read as a float32 array is, and their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.files import sha256_bytes
from recsys.ids import Vectors

Storage = Literal["float32", "bfloat16", "int8"]
VECTORS, SCALES = "vectors.npy", "scales.npy"
"""Files of a folder with vectors; the second one of int8 only."""
_ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True, eq=False)
class StoredVectors:
    """A matrix of compact numbers; indexed by rows, a slice or a mask, it gives float32 arrays.

    Every stored number is a float32 exactly, so that exact scores are exact over these numbers.

    Attributes:
        codes: uint16 ``[n, d]``, the upper half of a float32 (bfloat16), or int8 ``[n, d]``.
        scales: Factor per row of int8 codes, float32 ``[n]``; empty for bfloat16.

    Example:
        >>> vectors = np.array([[1.0, -0.5], [0.001, 0.0]], np.float32)
        >>> stored = StoredVectors.encode(vectors, "int8")
        >>> stored[0].round(2).tolist(), stored.bytes_per_item
        ([1.0, -0.5], 6.0)
        >>> StoredVectors.encode(vectors, "bfloat16")[:1].tolist()
        [[1.0, -0.5]]
    """

    codes: npt.NDArray[np.uint16] | npt.NDArray[np.int8]
    scales: Vectors
    ndim = 2
    dtype = np.dtype(np.float32)

    @classmethod
    def encode(cls, vectors: Vectors, storage: Literal["bfloat16", "int8"]) -> StoredVectors:
        """Round finite float32 ``[n, d]`` to the nearest numbers of a storage.

        Vectors that were read from the same storage do not change.
        """
        shape = vectors.shape
        if storage == "bfloat16":
            halves = np.empty(shape, np.uint16)
            for part in _parts(len(vectors)):
                bits = np.ascontiguousarray(vectors[part]).view(np.uint32)
                # To nearest, ties to even.
                halves[part] = (bits + np.uint32(0x7FFF) + ((bits >> 16) & 1)) >> 16
            return cls(halves, np.empty(0, np.float32))
        codes, scales = np.empty(shape, np.int8), np.empty(shape[0], np.float32)
        for part in _parts(len(vectors)):
            numbers = vectors[part]
            largest = np.abs(numbers).max(axis=1) / np.float32(127)
            # Rounded up to 16 significant bits, so that the product with a code is a float32.
            bits = (largest.view(np.uint32) + np.uint32(0xFF)) & np.uint32(0xFFFFFF00)
            factor = np.where(largest > 0, bits.view(np.float32), np.float32(1))
            codes[part] = np.rint(numbers / factor[:, None])
            scales[part] = factor
        return cls(codes, scales)

    @property
    def storage(self) -> Storage:
        """Name of the storage."""
        return "int8" if len(self.scales) else "bfloat16"

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of dimensions."""
        return int(self.codes.shape[0]), int(self.codes.shape[1])

    @property
    def bytes_per_item(self) -> float:
        """Number of bytes per row."""
        return (self.codes.nbytes + self.scales.nbytes) / max(1, len(self))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, key: Any) -> Vectors:
        codes = self.codes[key]
        if codes.dtype == np.int8:
            scales = np.asarray(self.scales[key])
            scaled: Vectors = codes.astype(np.float32) * scales[..., None]
            return scaled
        return _floats(codes)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if copy is False:
            raise ValueError("stored vectors are not float32 in memory; copy them")
        whole = np.empty(self.shape, np.float32)
        for part in _parts(len(self)):
            whole[part] = self[part]
        return whole if dtype is None else whole.astype(dtype)

    def setflags(self, *, write: bool) -> None:
        """Make the arrays read-only, as that of an array does."""
        self.codes.setflags(write=write)
        self.scales.setflags(write=write)


def stored(vectors: Vectors, storage: Storage) -> Vectors:
    """The vectors in a storage, typed as the float32 array as which they are read."""
    if isinstance(vectors, StoredVectors) or storage == "float32":
        return vectors
    return cast(Vectors, StoredVectors.encode(vectors, storage))


def bytes_per_item(vectors: Vectors) -> float:
    """Number of bytes per row of an array or of stored vectors."""
    if isinstance(vectors, StoredVectors):
        return vectors.bytes_per_item
    return 4.0 * int(vectors.shape[1])


def digest(vectors: Vectors) -> str:
    """SHA-256 of the bytes of an array or of stored vectors."""
    if isinstance(vectors, StoredVectors):
        arrays = (vectors.codes, vectors.scales)
        return sha256_bytes(*(np.ascontiguousarray(array).data for array in arrays))
    return sha256_bytes(np.ascontiguousarray(vectors).data)


def save_vectors(folder: Path, vectors: Vectors) -> None:
    """Write an array or stored vectors into a folder; their dtype states the storage."""
    if isinstance(vectors, StoredVectors):
        np.save(folder / VECTORS, vectors.codes, allow_pickle=False)
        if len(vectors.scales):
            np.save(folder / SCALES, vectors.scales, allow_pickle=False)
    else:
        np.save(folder / VECTORS, vectors, allow_pickle=False)


def load_vectors(folder: Path) -> Vectors:
    """Read what :func:`save_vectors` wrote; the numbers remain in the file, mapped into memory.

    Raises:
        OSError, ValueError, EOFError: A file is missing or damaged.
        DataError: The files are of another program.
    """
    # The base class of the array, since slices of a memmap are slow to make.
    array = np.asarray(np.load(folder / VECTORS, mmap_mode="r", allow_pickle=False))
    if array.dtype == np.float32:
        return array
    if array.ndim != 2 or array.dtype not in (np.dtype(np.uint16), np.dtype(np.int8)):
        raise DataError(
            f"{folder / VECTORS} must hold float32, uint16 (bfloat16) or int8 of two dimensions; "
            f"got {array.dtype} {array.shape}; index again"
        )
    scales = np.empty(0, np.float32)
    if array.dtype == np.int8:
        scales = np.load(folder / SCALES, allow_pickle=False)
        if scales.shape != array.shape[:1] or scales.dtype != np.float32:
            raise DataError(
                f"{folder / SCALES} must hold float32 [{len(array)}]; got {scales.dtype} "
                f"{scales.shape}; index again"
            )
    return cast(Vectors, StoredVectors(array, scales))


def _floats(halves: npt.NDArray[np.uint16]) -> Vectors:
    bits: npt.NDArray[np.uint32] = halves.astype(np.uint32) << np.uint32(16)
    return bits.view(np.float32)


def _parts(rows: int) -> list[slice]:
    return [slice(start, start + _ROWS_AT_ONCE) for start in range(0, rows, _ROWS_AT_ONCE)]
