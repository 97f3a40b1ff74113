"""How the numbers of a feature block are brought to the scale that the towers work at."""

from __future__ import annotations

import numpy as np

from recsys.features import FeatureBlock
from recsys.ids import Vectors


def standardised(block: FeatureBlock) -> Vectors:
    """The block's vectors, centred, with a root mean square length of 1; zeros where masked.

    One scale for the whole block keeps the proportions between its dimensions. Centre and scale
    are those of the rows that have a vector.

    Example:
        >>> vectors = np.array([[1, 5], [3, 5], [0, 0]], np.float32)
        >>> standardised(FeatureBlock("text", vectors, np.array([True, True, False]))).tolist()
        [[-1.0, 0.0], [1.0, 0.0], [0.0, 0.0]]
    """
    present = block.vectors[block.mask]
    if not len(present):
        return np.zeros(block.vectors.shape, np.float32)
    centre = present.mean(axis=0)
    spread = float(np.sqrt(((present - centre) ** 2).sum(axis=1).mean()))
    scaled: Vectors = ((block.vectors - centre) / max(spread, 1e-6)).astype(np.float32)
    scaled[~block.mask] = 0
    return scaled
