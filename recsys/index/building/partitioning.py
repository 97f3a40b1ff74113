"""Numbers that determine the partitions and codes of a ScaNN index."""

from __future__ import annotations

import math
from dataclasses import dataclass

from recsys.index.building.costs import SearchCost, build_seconds
from recsys.index.configs import ScannConfig

_MOST_BLOCKS = 256
"""Number of codes per row above which ScaNN has no global selection of the best rows."""
_ROWS_PER_LEAF = 64
"""Rows per leaf on which the centroids are trained."""


@dataclass(frozen=True)
class Partitioning:
    """Numbers that determine the partitions and codes of an index.

    Attributes:
        leaves: Number of partitions.
        dimensions_per_block: Number of dimensions that share a code.
        training_rows: Number of rows on which the centroids are trained.
        iterations: Number of iterations of that training.
        code_rows: Number of rows on which the codes are trained.

    Example:
        >>> chosen = Partitioning.of(ScannConfig(), 4_000, items=1_000_000, dimension=64)
        >>> chosen.training_rows, chosen.dimensions_per_block
        (256000, 1)
    """

    leaves: int
    dimensions_per_block: int
    training_rows: int
    iterations: int = 6
    code_rows: int = 100_000

    @classmethod
    def of(cls, config: ScannConfig, leaves: int, *, items: int, dimension: int) -> Partitioning:
        """The partitioning of ``items`` rows into a number of leaves."""
        block = config.dimensions_per_block
        if block == "auto":
            block = -(-dimension // _MOST_BLOCKS)
        rows = min(items, max(_ROWS_PER_LEAF * leaves, config.training_rows))
        return cls(leaves, block, rows)

    def cost(self, items: int, dimension: int) -> SearchCost:
        """Sizes for the estimate of a search."""
        return SearchCost(self.leaves, items / self.leaves, self._blocks(dimension), dimension)

    def build_seconds(self, items: int, dimension: int) -> float:
        """Estimated duration of the build, in seconds."""
        return build_seconds(
            items,
            dimension,
            leaves=self.leaves,
            blocks=self._blocks(dimension),
            training_rows=self.training_rows,
            iterations=self.iterations,
        )

    def _blocks(self, dimension: int) -> int:
        return math.ceil(dimension / self.dimensions_per_block)
