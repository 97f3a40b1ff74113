"""History encoders: the vectors of the items so far in, one state a moment out.

Every encoder reads item vectors ``[b, t, d]``, oldest first, padded at the end, and returns states
``[b, t + 1, d]``: state j stands for the first j items, state 0 for an empty history. No state
depends on a later item, so one pass trains every position of a history, and padding at the end
cannot leak.
"""

from __future__ import annotations

from typing import Any

from recsys._tf import tf, tf_keras
from recsys.towers.config import TowersConfig
from recsys.towers.history_configs import MeanHistory, NoHistory, TransformerHistory
from recsys.towers.initial import short


def build_history_encoder(config: TowersConfig) -> Any:
    """The encoder that ``config.history`` names."""
    if isinstance(config.history, MeanHistory):
        return _Mean(config.history, config.dimension)
    if isinstance(config.history, NoHistory):
        return _None(config.dimension, "zeros" if config.initial == "identity" else short())
    return _Transformer(config.history, config.dimension)


class _None(tf_keras.layers.Layer):  # type: ignore[misc]
    """State j = s, whatever came before: what is left is popularity, and what is added to it."""

    def __init__(self, dimension: int, initial: Any) -> None:
        super().__init__(name="no_history")
        self._start = self.add_weight(name="start", shape=(dimension,), initializer=initial)

    def call(self, vectors: Any, training: bool = False) -> Any:
        batch, moments = tf.shape(vectors)[0], tf.shape(vectors)[1] + 1
        return tf.broadcast_to(self._start, [batch, moments, self._start.shape[0]])


class _Mean(tf_keras.layers.Layer):  # type: ignore[misc]
    """State j = W sum over i <= j of a(j - i) v_i + b, the a(age) summing to 1 over each history.

    a(age) is proportional to exp(c_age), c trained from zero: at first every item counts alike. An
    empty history is the zero mean.
    """

    def __init__(self, config: MeanHistory, dimension: int) -> None:
        super().__init__(name="mean_history")
        self._ages = self.add_weight(name="ages", shape=(config.window,), initializer="zeros")
        self._map = tf_keras.layers.Dense(dimension, kernel_initializer="identity")

    def call(self, vectors: Any, training: bool = False) -> Any:
        moments = tf.range(tf.shape(vectors)[1])
        ages = moments[:, None] - moments[None, :]  # (t, t), negative for what is yet to come
        scores = tf.gather(self._ages, tf.maximum(ages, 0))
        shares = tf.nn.softmax(tf.where(ages >= 0, scores, float("-inf")))
        means = tf.einsum("ji,bid->bjd", shares, vectors)
        return self._map(tf.pad(means, [[0, 0], [1, 0], [0, 0]]))


class _Transformer(tf_keras.layers.Layer):  # type: ignore[misc]
    """A start vector, then the items, plus position vectors, through causal pre-norm blocks."""

    def __init__(self, config: TransformerHistory, dimension: int) -> None:
        super().__init__(name="transformer_history")
        self._dimension = dimension
        self._start = self.add_weight(
            name="start", shape=(1, 1, dimension), initializer=short(), trainable=True
        )
        self._positions = self.add_weight(
            name="positions", shape=(config.window + 1, dimension), initializer=short()
        )
        self._dropout = tf_keras.layers.Dropout(config.dropout)
        self._blocks = [_Block(config, dimension, index) for index in range(config.blocks)]
        self._norm = tf_keras.layers.LayerNormalization(epsilon=1e-6)

    def call(self, vectors: Any, training: bool = False) -> Any:
        batch = tf.shape(vectors)[0]
        start = tf.tile(self._start, [batch, 1, 1])
        # Unit vectors are brought to the scale of the layer norms inside the blocks.
        x = tf.concat([start, vectors * self._dimension**0.5], axis=1)  # (b, t + 1, d)
        x = self._dropout(x + self._positions[: tf.shape(x)[1]], training=training)
        for block in self._blocks:
            x = block(x, training=training)
        return self._norm(x)


class _Block(tf_keras.layers.Layer):  # type: ignore[misc]
    """x + attention(norm x), then x + feed-forward(norm x)."""

    def __init__(self, config: TransformerHistory, dimension: int, index: int) -> None:
        super().__init__(name=f"block_{index}")
        self._norms = [tf_keras.layers.LayerNormalization(epsilon=1e-6) for _ in range(2)]
        self._attention = tf_keras.layers.MultiHeadAttention(
            config.heads, dimension // config.heads, dropout=config.dropout
        )
        self._widen = tf_keras.layers.Dense(config.expansion * dimension, activation="gelu")
        self._narrow = tf_keras.layers.Dense(dimension)
        self._dropout = tf_keras.layers.Dropout(config.dropout)

    def call(self, x: Any, training: bool = False) -> Any:
        normed = self._norms[0](x)
        attended = self._attention(normed, normed, use_causal_mask=True, training=training)
        x += self._dropout(attended, training=training)
        hidden = self._narrow(self._widen(self._norms[1](x)))
        return x + self._dropout(hidden, training=training)
