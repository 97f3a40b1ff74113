"""The history encoder without a history."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf, tf_keras


class Start(tf_keras.layers.Layer):  # type: ignore[misc]
    """Every state is one trained vector s."""

    def __init__(self, dimension: int, initial: Any) -> None:
        super().__init__(name="no_history")
        self._start = self.add_weight(name="start", shape=(dimension,), initializer=initial)

    def call(self, vectors: Any, times: Any = None, draws: Any = None) -> Any:
        batch, moments = tf.shape(vectors)[0], tf.shape(vectors)[1] + 1
        return tf.broadcast_to(self._start, [batch, moments, self._start.shape[0]])
