"""Mean vectors of groups of items."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.features.block import FeatureBlock
from recsys.ids import Rows, Vectors


def mean_of_items(block: FeatureBlock, rows: Rows, offsets: npt.NDArray[np.int64]) -> Vectors:
    """The mean vector of each group of items, over the items that are not masked.

    Args:
        block: Vectors of the items.
        rows: Item rows of all groups, group by group, int ``[r]``; repeated items count repeatedly.
        offsets: Start of each group in ``rows``, and the end of the last, int64 ``[n + 1]``.

    Returns:
        float32 ``[n, d]``; zeros for a group without a vector.

    Example:
        >>> block = FeatureBlock(np.eye(2, dtype=np.float32), np.ones(2, bool), "title")
        >>> mean_of_items(block, np.array([0, 1, 1, 1]), np.array([0, 4, 4])).tolist()
        [[0.25, 0.75], [0.0, 0.0]]
    """
    shape = (len(offsets) - 1, len(block))
    weights = block.mask[rows].astype(np.float32)
    groups = sparse.csr_matrix((weights, rows, offsets), shape=shape)
    sums: Vectors = groups @ block.vectors
    counts = np.asarray(groups.sum(axis=1), np.float32)
    return (sums / np.maximum(counts, 1)).astype(np.float32)
