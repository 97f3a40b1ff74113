"""A mean of a history in which each item says how much it counts."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf, tf_keras
from recsys.towers.histories.configs import AttentionPoolingHistory
from recsys.towers.histories.pooling import ages_of, pooled


class AttentionPooling(tf_keras.layers.Layer):  # type: ignore[misc]
    """State j = M sum over i <= j of a_ji v_i + m, the a_ji a softmax over i <= j.

        a_ji = softmax_i( w . tanh(W v_i + b) + c_(j - i) )

    The self-attention pooling that SimpleX compares (Mao et al., CIKM 2021), which is additive
    attention (Yang et al., NAACL 2016, eq. 5 to 7) with one trained question w. c, by
    age, is there with ``ages = "trained"`` and begins at zero, as w does: at first the pooling is
    the mean. M begins as identity. An empty history is the zero mean.
    """

    def __init__(self, config: AttentionPoolingHistory, dimension: int) -> None:
        super().__init__(name="attention_pooling_history")
        self._hidden = tf_keras.layers.Dense(config.hidden, activation="tanh")
        self._question = tf_keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
        self._ages = None
        if config.ages == "trained":
            self._ages = self.add_weight(name="ages", shape=(config.window,), initializer="zeros")
        self._map = tf_keras.layers.Dense(dimension, kernel_initializer="identity")

    def call(self, vectors: Any, times: Any = None, training: bool = False) -> Any:
        ages = ages_of(tf.shape(vectors)[1])
        scores = self._question(self._hidden(vectors))[:, None, :, 0]  # (b, 1, t)
        if self._ages is not None:
            scores += tf.gather(self._ages, tf.maximum(ages, 0))
        return self._map(pooled(vectors, scores, ages))
