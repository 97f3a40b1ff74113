"""How trained vectors begin."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys._tf import tf, tf_keras
from recsys.ids import Mask, Vectors

SHORT = 0.02
"""Standard deviation of a number in a vector that begins short."""
_HELD_BACK = 0.01


def identity(offset: int = 0) -> Any:
    """Weights ``[n, d]`` that copy n coordinates to those from ``offset`` on; zeros elsewhere."""
    return _Identity(offset)


class _Identity(tf_keras.initializers.Initializer):  # type: ignore[misc]
    def __init__(self, offset: int) -> None:
        self._offset = offset

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return tf.constant(np.eye(shape[0], shape[1], k=self._offset), dtype or tf.float32)


def short() -> Any:
    """Short random vectors, which turn quickly.

    Both towers end in a normalisation, and the gradient through it grows as vectors shrink; vectors
    that begin at length 1 sit on a plateau for epochs.
    """
    return tf_keras.initializers.RandomNormal(stddev=SHORT)


def short_where(chosen: Mask) -> Any:
    """Short random vectors in the rows ``chosen`` (bool ``[n]``), zeros in the others."""
    return _ShortWhere(chosen)


class _ShortWhere(tf_keras.initializers.Initializer):  # type: ignore[misc]
    def __init__(self, chosen: Mask) -> None:
        self._chosen = chosen

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        drawn = short()(shape, dtype=dtype or tf.float32)
        return drawn * tf.constant(self._chosen[:, None], drawn.dtype)


def whitened_components(vectors: Vectors) -> Any:
    """Weights ``[w, d]`` that give each principal component of ``vectors`` the same variance.

    With the centred ``vectors`` ``[n, w]``, their covariance A diag(s) A' and the c = min(w, d)
    largest s, the weights are A_j / sqrt(c (s_j + h)) for j = 1 .. c, and zeros for the rest; the
    projected vectors have a root mean square length of about 1. Pretrained vectors crowd into a
    few directions; whitened they are better beginnings of a recommender's items (WhitenRec, Zhang
    et al. 2024). h, a hundredth of the mean of s, keeps noise from being blown up.

    Example:
        >>> line = np.array([[-2, 0, 1], [2, 0, 1], [0, 1, 1], [0, -1, 1]], np.float32)
        >>> projected = line @ whitened_components(line)((3, 2)).numpy()
        >>> np.abs(projected).round(1).tolist()
        [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    """
    return _Whitened(vectors)


class _Whitened(tf_keras.initializers.Initializer):  # type: ignore[misc]
    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        weights = np.zeros(shape)
        if len(self._vectors):
            centred = self._vectors - self._vectors.mean(axis=0)
            variances, axes = np.linalg.eigh(centred.T @ centred / len(centred))
            count = min(shape)
            # eigh gives the largest last.
            kept, largest = axes[:, ::-1][:, :count], np.maximum(variances[::-1][:count], 0)
            held_back = _HELD_BACK * max(float(variances.mean()), 1e-12)
            weights[:, :count] = kept / np.sqrt(count * (largest + held_back))
        return tf.constant(weights, dtype or tf.float32)
