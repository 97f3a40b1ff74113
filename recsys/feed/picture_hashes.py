"""Hashes of the pictures of a catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.files import load_arrays, save_arrays
from recsys.ids import Mask, Rows
from recsys.pictures.hashing import picture_hash

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class PictureHashes:
    """Hash of the picture of each of m items; later items have none.

    Attributes:
        values: Hashes of 64 bits, uint64 ``[m]``; 0 where there is none.
        mask: Whether each item has a hash, bool ``[m]``.

    Example:
        >>> from io import BytesIO
        >>> from PIL import Image
        >>> made = BytesIO(); Image.linear_gradient("L").save(made, "PNG")
        >>> hashes = PictureHashes.of([made.getvalue(), None])
        >>> hashes.mask.tolist()
        [True, False]
    """

    values: Hashes
    mask: Mask

    @classmethod
    def none(cls) -> PictureHashes:
        """The hashes of no item."""
        return cls(np.empty(0, np.uint64), np.empty(0, np.bool_))

    @classmethod
    def of(cls, pictures: Iterable[bytes | None]) -> PictureHashes:
        """The hashes of pictures in row order; an unreadable one has none."""
        found = [None if picture is None else picture_hash(picture) for picture in pictures]
        values = np.array([each or 0 for each in found], np.uint64)
        return cls(values, np.array([each is not None for each in found], np.bool_))

    def __len__(self) -> int:
        return len(self.values)

    def at(self, rows: Rows) -> tuple[Hashes, Mask]:
        """Hash of each row, uint64 ``[n]``, and whether it has one, bool ``[n]``."""
        known = rows < len(self)
        inside = np.where(known, rows, 0)
        if not len(self):
            return np.zeros(len(rows), np.uint64), np.zeros(len(rows), np.bool_)
        mask = known & self.mask[inside]
        return np.where(mask, self.values[inside], np.uint64(0)), mask

    def save(self, path: Path) -> None:
        """Write the hashes into an npz file."""
        save_arrays(path, {"values": self.values, "mask": self.mask})

    @classmethod
    def load(cls, path: Path) -> PictureHashes:
        """Read what :meth:`save` wrote.

        Raises:
            DataError: The file is damaged.
        """
        try:
            arrays = load_arrays(path)
            values, mask = arrays["values"].astype(np.uint64), arrays["mask"].astype(np.bool_)
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"cannot read the picture hashes in {path}: {error}") from error
        return cls(values, mask)
