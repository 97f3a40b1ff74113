"""Features of the items of one request, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.errors import DataError
from recsys.ids import Rows, Vectors


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """f features of n items.

    Attributes:
        names: Names of the features.
        values: float32 ``[n, f]``, finite.
        rows: Item rows, int32 ``[n]``.
        vectors: Item vectors of the towers, float32 ``[n, d]``; None where none are given.

    Raises:
        DataError: Shapes differ, a name occurs twice, or a value is not finite.

    Example:
        >>> values, rows = np.array([[1, 2]], np.float32), np.array([7], np.int32)
        >>> table = FeatureTable(("a", "b"), values, rows)
        >>> table.select(("b",)).values.tolist(), table.column("a").tolist()
        ([[2.0]], [1.0])
    """

    names: tuple[str, ...]
    values: Vectors
    rows: Rows
    vectors: Vectors | None = None

    def __post_init__(self) -> None:
        shape = (len(self.rows), len(self.names))
        if self.values.shape != shape:
            raise DataError(
                f"a feature table must have the shape {shape} (items, features); it has "
                f"{self.values.shape}"
            )
        if len(set(self.names)) < len(self.names):
            raise DataError(f"each feature must have its own name; got {self.names}")
        if not np.isfinite(self.values).all():
            at = int(np.argmin(np.isfinite(self.values).all(axis=0)))
            raise DataError(f"the feature '{self.names[at]}' holds values that are not finite")

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> Vectors:
        """One feature, float32 ``[n]``.

        Raises:
            DataError: There is no such feature.
        """
        return self.values[:, self._position(name)]

    def select(self, names: Sequence[str]) -> FeatureTable:
        """The table with these features in this order.

        Raises:
            DataError: A feature is missing.
        """
        if tuple(names) == self.names:
            return self
        at = [self._position(name) for name in names]
        return FeatureTable(tuple(names), self.values[:, at], self.rows, self.vectors)

    def _position(self, name: str) -> int:
        if name not in self.names:
            raise DataError(
                f"the feature table has no '{name}'; it has {', '.join(self.names) or 'none'}"
            )
        return self.names.index(name)
