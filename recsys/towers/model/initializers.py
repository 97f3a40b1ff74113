"""Initial values of trained vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys._tf import tf, tf_keras
from recsys.ids import Mask

SHORT = 0.02
"""Standard deviation of the numbers of a short vector."""


class Identity(tf_keras.initializers.Initializer):  # type: ignore[misc]
    """Weights ``[n, d]`` that copy n coordinates to those from ``offset`` on; zeros elsewhere."""

    def __init__(self, offset: int = 0) -> None:
        self._offset = offset

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return tf.constant(np.eye(shape[0], shape[1], k=self._offset), dtype or tf.float32)


def short() -> Any:
    """Short random vectors, which turn quickly.

    Both towers end in a normalisation, and the gradient through it grows as vectors shrink; vectors
    that begin at length 1 sit on a plateau for epochs.
    """
    return tf_keras.initializers.RandomNormal(stddev=SHORT)


class ShortWhere(tf_keras.initializers.Initializer):  # type: ignore[misc]
    """Short random vectors in the rows ``chosen`` (bool ``[n]``), zeros in the others."""

    def __init__(self, chosen: Mask) -> None:
        self._chosen = chosen

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        drawn = short()(shape, dtype=dtype or tf.float32)
        return drawn * tf.constant(self._chosen[:, None], drawn.dtype)
