"""One set of embeddings: vectors with their ids, labels and thumbnails."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from recsys.errors import DataError
from recsys.ids import Vectors

Thumbnail = Callable[[int, int], Image.Image | None]
"""Picture of the n-th embedding within a square of the given number of pixels, or None."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Vectors of one kind, at least one.

    Attributes:
        name: Name of the files: "users", "items", "queries", or the name of a space.
        column: Column name of the ids: "user_id", "item_id", "terms".
        ids: Distinct ids of the vectors.
        vectors: Vectors, float32 ``[n, d]``, finite.
        labels: Further columns shown next to the ids, such as titles.
        thumbnail: Thumbnails, or None without pictures.

    Raises:
        DataError: The parts do not fit each other, or a number is not finite.

    Example:
        >>> one = Embeddings("users", "user_id", ("ann",), np.ones((1, 2), np.float32))
        >>> len(one), one.vectors.shape
        (1, (1, 2))
    """

    name: str
    column: str
    ids: tuple[str, ...]
    vectors: Vectors
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    thumbnail: Thumbnail | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise DataError(f"embeddings need a name that matches {_NAME.pattern}: {self.name!r}")
        if self.vectors.ndim != 2 or self.vectors.dtype != np.float32:
            raise DataError(
                f"embeddings '{self.name}' must be float32 [n, d]; they are"
                f" {self.vectors.dtype} {self.vectors.shape}"
            )
        if not self.vectors.size:
            raise DataError(f"embeddings '{self.name}' hold no vector; leave them out")
        if self.column in self.labels:
            raise DataError(f"embeddings '{self.name}': '{self.column}' is the column of the ids")
        for label, column in {self.column: self.ids, **self.labels}.items():
            if len(column) != len(self.vectors):
                raise DataError(
                    f"embeddings '{self.name}': {len(self.vectors)} vectors, and {len(column)}"
                    f" values of '{label}'; expected the same number"
                )
        if len(set(self.ids)) < len(self.ids):
            raise DataError(f"embeddings '{self.name}': an id is there twice")
        if not np.isfinite(self.vectors).all():
            raise DataError(f"embeddings '{self.name}' hold a number that is not finite")

    def __len__(self) -> int:
        return len(self.vectors)
