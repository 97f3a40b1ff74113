"""A feature block in fewer dimensions: its principal components."""

from __future__ import annotations

import numpy as np

from recsys.errors import DataError
from recsys.features.block import FeatureBlock
from recsys.ids import Mask


def principal_components(block: FeatureBlock, dimension: int, *, among: Mask) -> FeatureBlock:
    """The block on its directions of largest variance (Pearson 1901; Hotelling 1933).

    With m the mean and W the first ``dimension`` right singular vectors of the centred vectors of
    the items ``among``, an item's vector is W (x - m). A wide block of a weak kind (a thousand
    numbers a poster) lets towers tell the training items apart by heart; a few components do not.

    Args:
        block: One vector an item.
        dimension: How many components.
        among: The items that decide the directions, bool ``[items]``: those of training.

    Returns:
        A block of the same name and mask, float32 ``[items, dimension]``.

    Raises:
        DataError: There are not so many items or columns.

    Example:
        >>> line = np.array([[0, 0], [3, 4], [6, 8]], np.float32)
        >>> block = FeatureBlock(line, np.ones(3, bool), "image")
        >>> flat = principal_components(block, 1, among=np.ones(3, bool)).vectors
        >>> np.abs(flat).round(3).tolist()
        [[5.0], [0.0], [5.0]]
    """
    from sklearn.decomposition import PCA

    there = among & block.mask
    most = min(int(there.sum()), block.dimension)
    if not 1 <= dimension <= most:
        raise DataError(
            f"the block '{block.name}' has {block.dimension} columns and {int(there.sum())} items "
            f"to find components among: ask for 1 to {most}, not {dimension}"
        )
    found = PCA(dimension, svd_solver="full").fit(block.vectors[there])
    vectors = found.transform(block.vectors) * block.mask[:, None]
    return FeatureBlock(vectors.astype(np.float32), block.mask.copy(), block.name)
