"""How the parts of an item become one vector: its id and its blocks, each already of width d.

Every way reads parts ``[n, p, d]``, zeros where an item lacks one, and which are there,
``[n, p]``; it returns ``[n, d]``. All of them begin as the plain sum, so that what a way adds is
learned, never drawn.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys._tf import tf, tf_keras
from recsys.towers.config import TowersConfig


def build_combine(config: TowersConfig) -> Any:
    """The way that ``config.combine`` names."""
    if config.combine == "gated-sum":
        return _GatedSum()
    if config.combine == "concatenation":
        return _Concatenation(config)
    return _Sum()


class _Sum(tf_keras.layers.Layer):  # type: ignore[misc]
    """v = sum over parts p of x_p."""

    def call(self, parts: Any, there: Any) -> Any:
        return tf.reduce_sum(parts, axis=1)


class _GatedSum(tf_keras.layers.Layer):  # type: ignore[misc]
    """v = sum over parts p of g_p x_p, with g = softmax over the parts that are there of s.

    s = G [x_1 .. x_P] + c, one number a part, is read from all the parts of the item (gated
    multimodal units, Arevalo et al. 2017, whose gates of two parts are such a softmax), so that
    an item with a telling text leans on it and another on its id. G and c begin at zero: equal
    gates, which after normalisation are the plain sum.
    """

    def __init__(self) -> None:
        super().__init__(name="gated_sum")

    def build(self, shapes: Any) -> None:
        parts, width = int(shapes[1]), int(shapes[2])
        self._map = self.add_weight(name="gates", shape=(parts * width, parts), initializer="zeros")
        self._bias = self.add_weight(name="gates_bias", shape=(parts,), initializer="zeros")

    def call(self, parts: Any, there: Any) -> Any:
        scores = _side_by_side(parts) @ self._map + self._bias
        # Where nothing is there the gates are any numbers; they weigh zeros.
        gates = tf.nn.softmax(tf.where(there > 0, scores, scores.dtype.min))
        return tf.reduce_sum(parts * gates[:, :, None], axis=1)


class _Concatenation(tf_keras.layers.Layer):  # type: ignore[misc]
    """v = sum of parts + A gelu(B [x_1 .. x_P] + b), or C [x_1 .. x_P]: they can meet each other.

    The hidden layer (``projection = "mlp"``) is what lets a part change what another means
    (feature concatenation, Covington et al. 2016). It is added to the sum and A begins at zero, C
    as the identity for each part. An item without any part stays at zero.
    """

    def __init__(self, config: TowersConfig) -> None:
        super().__init__(name="concatenation")
        self._hidden = None
        if config.projection == "mlp":
            self._hidden = tf_keras.layers.Dense(2 * config.dimension, activation="gelu")
        begin = _stacked_identities if self._hidden is None else "zeros"
        self._map = tf_keras.layers.Dense(
            config.dimension, use_bias=False, kernel_initializer=begin, name="combined"
        )

    def call(self, parts: Any, there: Any) -> Any:
        wide = _side_by_side(parts)
        if self._hidden is None:
            return self._map(wide)
        some = tf.reduce_max(there, axis=1, keepdims=True)
        return tf.reduce_sum(parts, axis=1) + some * self._map(self._hidden(wide))


def _side_by_side(parts: Any) -> Any:
    return tf.reshape(parts, [-1, parts.shape[1] * parts.shape[2]])


def _stacked_identities(shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
    return tf.constant(np.tile(np.eye(shape[1]), (shape[0] // shape[1], 1)), dtype or tf.float32)
