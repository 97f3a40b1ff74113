"""Causal self-attention over a history."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf, tf_keras
from recsys.towers.draws import Draws


class CausalAttention(tf_keras.layers.Layer):  # type: ignore[misc]
    """Causal scaled dot-product attention (Vaswani et al., NeurIPS 2017).

        y_j = O concat over heads of sum over i <= j of softmax_i( q_j . k_i / sqrt(d / h) ) v_i

    with q, k and v one matrix product of x ``[b, n, d]``. Dropout of the weights is drawn once per
    head and step for the whole batch; a draw per history takes longer than the rest of the layer.
    """

    def __init__(self, heads: int, dimension: int, dropout: float) -> None:
        super().__init__(name="attention")
        self._heads, self._width = heads, dimension // heads
        self._project = tf_keras.layers.Dense(3 * dimension)
        self._rate = dropout
        self._merge = tf_keras.layers.Dense(dimension)

    def call(self, x: Any, draws: Draws | None = None) -> Any:
        q, k, v = (by_head(part, self._heads) for part in tf.split(self._project(x), 3, axis=-1))
        scores = tf.matmul(q * self._width**-0.5, k, transpose_b=True)  # (b, h, n, n)
        later = tf.cast(~causal_mask(tf.shape(x)[1]), scores.dtype)
        shares = tf.nn.softmax(scores - 1e9 * later)
        if draws is not None and self._rate:
            shares *= draws.dropout(tf.ones_like(scores[:1]), self._rate)
        return self._merge(merged(tf.matmul(shares, v)))


def ages_of(length: Any) -> Any:
    """Position j minus position i, ``[t, t]``; negative for later items."""
    positions = tf.range(length)
    return positions[:, None] - positions[None, :]


def causal_mask(length: Any) -> Any:
    """Whether position j attends to position i: itself and earlier ones, bool ``[n, n]``."""
    return ages_of(length) >= 0


def by_head(x: Any, heads: int) -> Any:
    """``[b, n, d]`` to ``[b, heads, n, d / heads]``."""
    batch, length, width = tf.shape(x)[0], tf.shape(x)[1], x.shape[-1] // heads
    return tf.transpose(tf.reshape(x, [batch, length, heads, width]), [0, 2, 1, 3])


def merged(x: Any) -> Any:
    """``[b, heads, n, w]`` to ``[b, n, heads * w]``."""
    batch, length = tf.shape(x)[0], tf.shape(x)[2]
    return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, length, x.shape[1] * x.shape[3]])
