"""The mean of a history, weighted by age or not."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf, tf_keras
from recsys.towers.histories.attention import ages_of
from recsys.towers.histories.configs import MeanHistory


class Mean(tf_keras.layers.Layer):  # type: ignore[misc]
    """State j = W sum over i <= j of a(j - i) v_i + b, the a(age) summing to 1 over each history.

    a(age) is proportional to exp(c_age), with c trained from zero, or zero with ``ages = "equal"``
    (average pooling of SimpleX, Mao et al., CIKM 2021, with a projection). W starts as identity.
    The mean of an empty history is zero.
    """

    def __init__(self, config: MeanHistory, dimension: int) -> None:
        super().__init__(name="mean_history")
        self._ages = None
        if config.ages == "trained":
            self._ages = self.add_weight(name="ages", shape=(config.window,), initializer="zeros")
        self._map = tf_keras.layers.Dense(dimension, kernel_initializer="identity")

    def call(self, vectors: Any, times: Any = None, draws: Any = None) -> Any:
        ages = ages_of(tf.shape(vectors)[1])
        scores = tf.zeros_like(ages, tf.float32)
        if self._ages is not None:
            scores = tf.gather(self._ages, tf.maximum(ages, 0))
        shares = tf.nn.softmax(tf.where(ages >= 0, scores, float("-inf")))  # (t, t)
        return self._map(tf.pad(tf.matmul(shares, vectors), [[0, 0], [1, 0], [0, 0]]))
