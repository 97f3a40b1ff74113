"""The items that the sources of a feed returned for one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from recsys.errors import DataError
from recsys.ids import Rows, Vectors


@dataclass(frozen=True, eq=False)
class RetrievedItems:
    """n distinct items with their position in the list of each of s sources.

    Attributes:
        rows: Item rows, int32 ``[n]``.
        sources: Names of the sources.
        ranks: Position of each item in the list of each source, 1 for the best, float32
            ``[n, s]``; NaN where the source did not return the item.
        scores: Score that each source gave, float32 ``[n, s]``; NaN as in ``ranks``.
        vectors: Item vectors of the towers, float32 ``[n, d]``; None where no scorer reads them.
        columns: Further columns by name, float32 ``[n]`` each, which become features as they are.

    Raises:
        DataError: Shapes differ, or the ranks and the scores are missing at different places.

    Example:
        >>> items = RetrievedItems.of_list("two_tower", np.array([7, 2], np.int32), [0.9, 0.4])
        >>> items.ranks[:, 0].tolist(), len(items)
        ([1.0, 2.0], 2)
    """

    rows: Rows
    sources: tuple[str, ...]
    ranks: Vectors
    scores: Vectors
    vectors: Vectors | None = None
    columns: Mapping[str, Vectors] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n, shape = len(self.rows), (len(self.rows), len(self.sources))
        if self.ranks.shape != shape or self.scores.shape != shape:
            raise DataError(
                f"ranks and scores must have the shape {shape} (items, sources); got "
                f"{self.ranks.shape} and {self.scores.shape}"
            )
        if not np.array_equal(np.isnan(self.ranks), np.isnan(self.scores)):
            raise DataError("an item must have a rank and a score from a source, or neither (NaN)")
        if self.vectors is not None and len(self.vectors) != n:
            raise DataError(f"{n} items need as many vectors; got {len(self.vectors)}")
        for name, column in self.columns.items():
            if column.shape != (n,):
                raise DataError(f"column '{name}' must hold {n} values; got {column.shape}")

    @classmethod
    def of_list(
        cls,
        source: str,
        rows: Rows,
        scores: Sequence[float] | Vectors,
        *,
        vectors: Vectors | None = None,
    ) -> RetrievedItems:
        """The items of one source, best first."""
        ranks = np.arange(1, len(rows) + 1, dtype=np.float32)[:, None]
        return cls(rows, (source,), ranks, np.asarray(scores, np.float32)[:, None], vectors)

    def __len__(self) -> int:
        return len(self.rows)
