"""The weights of a Keras model as arrays, taken in their order with a check of every shape."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.ids import Vectors


class WeightReader:
    """Reads weights one after the other.

    Args:
        weights: The weights in the order of the model.

    Example:
        >>> weights = WeightReader([np.zeros((2, 3), np.float32)])
        >>> weights.take(2, 3).shape
        (2, 3)
        >>> weights.finish()
    """

    def __init__(self, weights: Sequence[Vectors]) -> None:
        self._weights, self._at = weights, 0

    @property
    def position(self) -> int:
        """Position of the next weight."""
        return self._at

    def take(self, *shape: int) -> Vectors:
        """The next weight, float32 and contiguous.

        Raises:
            ValueError: There is none, or it has another shape.
        """
        if self._at == len(self._weights):
            raise ValueError(f"there are only {self._at} weights")
        weight = self._weights[self._at]
        if weight.shape != shape:
            raise ValueError(f"weight {self._at} has the shape {weight.shape} instead of {shape}")
        self._at += 1
        return np.ascontiguousarray(weight, np.float32)

    def finish(self) -> None:
        """Check that every weight was taken.

        Raises:
            ValueError: Some are left.
        """
        if self._at < len(self._weights):
            raise ValueError(f"there are {len(self._weights)} weights instead of {self._at}")
