"""Expected durations of a search and of a build, from the number of their operations.

Settings are compared by these estimates and not by a clock, so that the same data give the same
index on any machine. The constants were fitted on one core with AVX-512, to batches of 128 queries.
"""

from __future__ import annotations

from dataclasses import dataclass

_QUERY = 5e-6
_CENTROID_DIMENSION = 5e-11
_LEAF = 2.6e-7
_CODE = 2.9e-11
_CANDIDATE = 4e-8
_CANDIDATE_DIMENSION = 1.7e-9
_BOUND = 1e-8
_READ = 3e-9
_READ_DIMENSION = 5e-11
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

    def scan_seconds(self, read: float, exact: float) -> float:
        """Duration of a scan of leaves that reads and exactly scores numbers of rows."""
        route = self.num_leaves * (_BOUND + self.dimension * 2 * _CENTROID_DIMENSION)
        scan = read * (_READ + self.dimension * _READ_DIMENSION)
        rescore = exact * (_CANDIDATE + self.dimension * _READ_DIMENSION)
        return _QUERY + route + scan + rescore

    def exact_seconds(self, rows: int) -> float:
        """Duration of a comparison of a number of rows, whose vectors are copied."""
        return _QUERY + rows * (_READ + self.dimension * 2 * _READ_DIMENSION)


def build_seconds(
    items: int, dimension: int, *, leaves: int, blocks: int, training_rows: int, iterations: int
) -> float:
    """Duration of a build on one core, in seconds, without the tuning."""
    products = (training_rows * iterations + items) * leaves * dimension
    return _FIXED + products * _TRAINING + items * blocks * _ENCODED_BLOCK
