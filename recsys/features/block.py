"""A feature block: a named matrix of features of items (or of users)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.errors import DataError
from recsys.files import load_arrays, save_arrays, sha256_bytes
from recsys.ids import Mask, Rows, Vectors
from recsys.vectors import MaskedVectors

VERSION = 1


@dataclass(frozen=True, eq=False)
class FeatureBlock(MaskedVectors):
    """Features of all items, in row order.

    Attributes:
        name: Name of the block in the towers and in the bundle ("text", "image", "attributes").
        columns: Name of each column, or empty where columns have no meaning of their own.

    Raises:
        DataError: As for :class:`~recsys.vectors.MaskedVectors`, or a name is missing.

    Example:
        >>> block = FeatureBlock(np.eye(2, dtype=np.float32), np.array([True, True]), "text")
        >>> block.take(np.array([1])).vectors.tolist()
        [[0.0, 1.0]]
    """

    name: str
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name:
            raise DataError("a feature block needs a name; got ''")
        super().__post_init__()
        if self.columns and len(self.columns) != self.dimension:
            self._refuse(f"{self.dimension} columns have {len(self.columns)} names")

    @classmethod
    def of(cls, name: str, masked: MaskedVectors) -> FeatureBlock:
        """The block of the vectors of all items, in row order."""
        return cls(masked.vectors, masked.mask, name)

    @property
    def label(self) -> str:
        """Name of the block in messages."""
        return f"feature block '{self.name}'"

    def take(self, rows: Rows) -> FeatureBlock:
        """The block of the items ``rows``, in that order."""
        return FeatureBlock(self.vectors[rows], self.mask[rows], self.name, self.columns)

    def save(self, path: Path) -> None:
        """Write to ``path`` (``.npz``) atomically."""
        header = {"version": VERSION, "name": self.name, "columns": self.columns}
        text = json.dumps({**header, "sha256": _checksum(self.vectors, self.mask)})
        save_arrays(path, {"header": text, "vectors": self.vectors, "mask": self.mask})

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
            raise DataError(f"expected a feature block; {path} does not exist") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path} is not a whole feature block: {error}; encode again"
            ) from error
        if version != VERSION:
            raise DataError(
                f"{path} has format version {version!r}; this recsys reads {VERSION}: encode again"
            )
        if checksum != _checksum(vectors, mask):
            raise DataError(f"{path} is damaged: its checksum does not match; encode again")
        return cls(vectors, mask, name, columns)


def _checksum(vectors: Vectors, mask: Mask) -> str:
    head = f"{vectors.shape}{vectors.dtype}".encode()
    return sha256_bytes(head, np.ascontiguousarray(vectors).tobytes(), mask.tobytes())
