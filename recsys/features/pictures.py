"""The pictures of a catalogue as contents for an encoder, read on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

from recsys.catalogue import Catalogue


@dataclass(frozen=True, eq=False)
class CataloguePictures(Sequence["bytes | None"]):
    """Bytes of the picture of each item, or None; nothing is held in memory.

    Example:
        >>> from recsys.catalogue import catalogue_of_ids
        >>> pictures = CataloguePictures(catalogue_of_ids(["lamp", "rug"]))
        >>> len(pictures), pictures[0]
        (2, None)
    """

    catalogue: Catalogue

    def __len__(self) -> int:
        return len(self.catalogue)

    @overload
    def __getitem__(self, row: int) -> bytes | None: ...
    @overload
    def __getitem__(self, row: slice) -> list[bytes | None]: ...
    def __getitem__(self, row: int | slice) -> bytes | None | list[bytes | None]:
        if isinstance(row, slice):
            return [self.catalogue.image(one) for one in range(*row.indices(len(self)))]
        return self.catalogue.image(range(len(self))[row])
