"""Several items as one vector: their mean over a feature block."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.features.block import FeatureBlock
from recsys.ids import Rows, Vectors


def mean_of_items(block: FeatureBlock, rows: Rows, offsets: npt.NDArray[np.int64]) -> Vectors:
    """The mean vector of each group of items, over those that the block has.

    Args:
        block: One vector an item.
        rows: Item rows of all groups, one group after another, int ``[r]``; an item that is there
            twice counts twice.
        offsets: Where each group begins and ends in ``rows``, int64 ``[n + 1]``.

    Returns:
        float32 ``[n, d]``; zeros for a group without any vector.

    Example:
        >>> block = FeatureBlock(np.eye(2, dtype=np.float32), np.ones(2, bool), "title")
        >>> mean_of_items(block, np.array([0, 1, 1, 1]), np.array([0, 4, 4])).tolist()
        [[0.25, 0.75], [0.0, 0.0]]
    """
    shape = (len(offsets) - 1, len(block))
    there = block.mask[rows].astype(np.float32)
    groups = sparse.csr_matrix((there, rows, offsets), shape=shape)
    sums: Vectors = groups @ block.vectors
    counts = np.asarray(groups.sum(axis=1), np.float32)
    return (sums / np.maximum(counts, 1)).astype(np.float32)
