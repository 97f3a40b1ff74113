"""Expected durations of a search and of a build, from the number of their operations.

Settings are compared by these estimates and not by a clock, so that the same data give the same
index on any machine. The constants were fitted on one core with AVX-512: those of ScaNN to batches
of 128 queries, those of scans to single ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_QUERY = 5e-6
_CENTROID_DIMENSION = 5e-11
_LEAF = 2.6e-7
_CODE = 2.9e-11
_CANDIDATE = 4e-8
_CANDIDATE_DIMENSION = 1.7e-9
_SCAN = 1e-5
_MEAN = 4e-9
_GROUP = 1.5e-7
_SKETCH = 9e-10
_SKETCH_DIMENSIONS = 64
_ROW = 3e-9
_ROW_DIMENSION = 1e-10
_TRAINING = 2e-11
_ENCODED_BLOCK = 2.4e-7
_FIXED = 2.0


@dataclass(frozen=True)
class SearchCost:
    """Sizes of a partitioned index on which the duration of a search depends.

    Attributes:
        num_leaves: Number of partitions.
        codes_per_leaf: Mean number of quantised rows per partition.
        blocks: Number of codes per row.
        dimension: Length of a vector.
        rows_per_row: Number of rows that each row stands for, above 1 in a sample of the rows.
    """

    num_leaves: int
    codes_per_leaf: float
    blocks: int
    dimension: int
    rows_per_row: int = 1

    def seconds(self, leaves: int, depth: int) -> float:
        """Duration of one query of a batch, in seconds."""
        route = self.num_leaves * self.dimension * _CENTROID_DIMENSION
        scan = leaves * (_LEAF + self.codes_per_leaf * self.blocks * _CODE)
        rescore = depth * self.rows_per_row * (_CANDIDATE + self.dimension * _CANDIDATE_DIMENSION)
        return _QUERY + route + scan + rescore

    def scan_seconds(self, groups: int, visited: float, read: float, exact: float) -> float:
        """Duration of a scan of leaves.

        Args:
            groups: Number of groups of eligible rows.
            visited: Number of groups that are read.
            read: Number of rows in them.
            exact: Number of exact scores, each after a comparison by codes.
        """
        route = groups * (_MEAN + self.dimension * _CENTROID_DIMENSION)
        scan = visited * _GROUP + read * _SKETCH * math.ceil(self.dimension / _SKETCH_DIMENSIONS)
        rescore = exact * 2 * (_CANDIDATE + self.dimension * _CANDIDATE_DIMENSION)
        return _SCAN + route + scan + rescore

    def exact_seconds(self, rows: int) -> float:
        """Duration of a comparison of a number of rows, whose vectors are copied."""
        return _QUERY + rows * (_ROW + self.dimension * _ROW_DIMENSION)


def build_seconds(
    items: int, dimension: int, *, leaves: int, blocks: int, training_rows: int, iterations: int
) -> float:
    """Duration of a build on one core, in seconds, without the tuning."""
    products = (training_rows * iterations + items) * leaves * dimension
    return _FIXED + products * _TRAINING + items * blocks * _ENCODED_BLOCK
