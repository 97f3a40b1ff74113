"""A feature block: one named matrix of features of items (or of users), and which have it."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.encoders import Encoded
from recsys.encoders.arrays import load_arrays
from recsys.errors import DataError
from recsys.ids import Mask, Rows, Vectors

VERSION = 1


@dataclass(frozen=True, eq=False)
class FeatureBlock:
    """Features of all items, in row order. Frozen, finite, and zeros where masked.

    Attributes:
        name: What it is called in the towers and in the bundle ("text", "image", "attributes").
        vectors: float32 ``[items, d]``, read-only.
        mask: bool ``[items]``, read-only; False where an item has no such features.
        columns: The name of each column, or empty where columns mean nothing by themselves.

    Raises:
        DataError: Shapes, dtypes or numbers are not as said.

    Example:
        >>> block = FeatureBlock("text", np.eye(2, dtype=np.float32), np.array([True, True]))
        >>> len(block), block.dimension
        (2, 2)
    """

    name: str
    vectors: Vectors
    mask: Mask
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        vectors, mask = self.vectors, self.mask
        if not self.name:
            raise DataError("a feature block needs a name; got ''")
        if vectors.ndim != 2 or vectors.dtype != np.float32:
            self._refuse(f"vectors must be float32 [items, d]; got {vectors.dtype} {vectors.shape}")
        if mask.shape != vectors.shape[:1] or mask.dtype != np.bool_:
            self._refuse(f"the mask must be bool [{len(vectors)}]; got {mask.dtype} {mask.shape}")
        if self.columns and len(self.columns) != vectors.shape[1]:
            self._refuse(f"{vectors.shape[1]} columns have {len(self.columns)} names")
        finite = np.isfinite(vectors).all(axis=1)
        if not finite.all():
            self._refuse(f"row {int(np.argmin(finite))} holds a number that is not finite")
        stray = vectors.any(axis=1) & ~mask
        if stray.any():
            self._refuse(f"row {int(np.argmax(stray))} is masked out and yet not zeros")
        vectors.setflags(write=False)
        mask.setflags(write=False)

    @classmethod
    def of(cls, name: str, encoded: Encoded) -> FeatureBlock:
        """The block of what an encoder gave for all items, in row order."""
        return cls(name, encoded.vectors.copy(), encoded.mask.copy())

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def dimension(self) -> int:
        return int(self.vectors.shape[1])

    def take(self, rows: Rows) -> FeatureBlock:
        """The block of the items ``rows``, in that order."""
        return FeatureBlock(self.name, self.vectors[rows], self.mask[rows], self.columns)

    def save(self, path: Path) -> None:
        """Write to ``path`` (``.npz``), whole or not at all."""
        fresh = path.with_name(f".{uuid.uuid4().hex}.npz")
        path.parent.mkdir(parents=True, exist_ok=True)
        header = {"version": VERSION, "name": self.name, "columns": self.columns}
        text = json.dumps({**header, "sha256": _checksum(self.vectors, self.mask)})
        try:
            np.savez(fresh, header=text, vectors=self.vectors, mask=self.mask)
            os.replace(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> FeatureBlock:
        """Read what :meth:`save` wrote.

        Raises:
            DataError: The file is missing, damaged, or of another version.
        """
        try:
            file = load_arrays(path)
            header = json.loads(str(file["header"]))
            vectors, mask = file["vectors"], file["mask"]
            version, checksum = header["version"], header["sha256"]
            name, columns = header["name"], tuple(header["columns"])
        except FileNotFoundError as error:
            raise DataError(f"expected a feature block; {path} is not there") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path} is no whole feature block: {error}; encode again") from error
        if version != VERSION:
            raise DataError(
                f"{path} has format version {version!r}; this recsys reads {VERSION}: encode again"
            )
        if checksum != _checksum(vectors, mask):
            raise DataError(f"{path} is damaged: its checksum does not match; encode again")
        return cls(name, vectors, mask, columns)

    def _refuse(self, why: str) -> None:
        raise DataError(f"feature block '{self.name}': {why}")


def _checksum(vectors: Vectors, mask: Mask) -> str:
    digest = hashlib.sha256(f"{vectors.shape}{vectors.dtype}".encode())
    digest.update(np.ascontiguousarray(vectors).tobytes())
    digest.update(np.ascontiguousarray(mask).tobytes())
    return digest.hexdigest()
