"""Standardisation of feature blocks for the towers."""

from __future__ import annotations

import numpy as np

from recsys.features import FeatureBlock
from recsys.ids import Vectors


def centre_and_scale(vectors: Vectors) -> tuple[Vectors, float]:
    """The mean of ``vectors`` ``[n, d]``, and the root mean square of their distance from it.

    One scale for the whole block keeps the proportions of its dimensions; it is at least 1e-6.
    Without vectors the mean is zeros and the scale 1.
    """
    if not len(vectors):
        return np.zeros(vectors.shape[1], np.float32), 1.0
    centre: Vectors = vectors.mean(axis=0)
    spread = float(np.sqrt(((vectors - centre) ** 2).sum(axis=1).mean()))
    return centre, max(spread, 1e-6)


def standardised(block: FeatureBlock) -> Vectors:
    """The block's vectors, centred, with a root mean square length of 1; zeros where masked.

    Centre and scale are those of the rows that have a vector.

    Example:
        >>> vectors = np.array([[1, 5], [3, 5], [0, 0]], np.float32)
        >>> standardised(FeatureBlock(vectors, np.array([True, True, False]), "text")).tolist()
        [[-1.0, 0.0], [1.0, 0.0], [0.0, 0.0]]
    """
    centre, scale = centre_and_scale(block.vectors[block.mask])
    scaled: Vectors = ((block.vectors - centre) / scale).astype(np.float32)
    scaled[~block.mask] = 0
    return scaled
