"""Input of the attention layers: a start vector and the items, with vectors of positions."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf, tf_keras
from recsys.towers.draws import Draws
from recsys.towers.model.initializers import short


class Tokens(tf_keras.layers.Layer):  # type: ignore[misc]
    """Item vectors ``[b, t, d]`` to ``[b, t + 1, d]``: x_0 = s + p_0, x_i = sqrt(d) v_i + p_i.

    Args:
        window: Length of the longest history.
        dimension: d.
        dropout: Share of the output dropped in training.
    """

    def __init__(self, window: int, dimension: int, dropout: float) -> None:
        super().__init__(name="tokens")
        self._scale = dimension**0.5
        self._start = self.add_weight(name="start", shape=(1, 1, dimension), initializer=short())
        self._positions = self.add_weight(
            name="positions", shape=(window + 1, dimension), initializer=short()
        )
        self._dropout = dropout

    def call(self, vectors: Any, draws: Draws | None = None) -> Any:
        start = tf.tile(self._start, [tf.shape(vectors)[0], 1, 1])
        # Unit vectors are scaled to the layer norms inside the blocks.
        x = tf.concat([start, vectors * self._scale], axis=1)
        x += self._positions[: tf.shape(x)[1]]
        return x if draws is None else draws.dropout(x, self._dropout)
