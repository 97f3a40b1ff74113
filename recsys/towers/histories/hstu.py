"""Hierarchical sequential transduction units: attention without a softmax."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf, tf_keras
from recsys.towers.draws import Draws
from recsys.towers.histories.attention import ages_of, by_head, causal_mask, merged
from recsys.towers.histories.configs import BUCKETS, HstuHistory
from recsys.towers.histories.norm import Norm
from recsys.towers.histories.times import Times, buckets_of
from recsys.towers.histories.tokens import Tokens
from recsys.towers.model.initializers import short


class Hstu(tf_keras.layers.Layer):  # type: ignore[misc]
    """HSTU (Zhai et al., "Actions Speak Louder than Words", ICML 2024, eq. 1 to 3).

    State j is the last unit's output at position j of :class:`Tokens`, normalised. The time bias of
    histories without times is zero.
    """

    def __init__(self, config: HstuHistory, dimension: int) -> None:
        super().__init__(name="hstu_history")
        self._config = config
        self._tokens = Tokens(config.window, dimension, config.dropout)
        self._units = [_Unit(config, dimension, index) for index in range(config.blocks)]
        self._norm = Norm(dimension)

    def call(self, vectors: Any, times: Times | None = None, draws: Draws | None = None) -> Any:
        x = self._tokens(vectors, draws=draws)
        buckets, known = None, None
        if self._config.reads_times and times is not None:
            buckets, known = buckets_of(times.seconds), times.known
            if draws is not None:
                known = draws.keep(known, dropout=self._config.time_dropout)
        for unit in self._units:
            x = unit(x, buckets, known, draws=draws)
        return self._norm(x)


class _Unit(tf_keras.layers.Layer):  # type: ignore[misc]
    """x <- x + F( norm( A V ) * U ), where [U V Q K] = silu( E norm(x) ) and, for i <= j,

        A_ji = silu( q_j . k_i + p_(j - i) + r_bucket(j, i) ) / (j + 1)

    p, by position and head, and r, by time, start near zero. The paper divides by the length of the
    longest history; here by the number of visible positions, so that a short history in a long
    window keeps its scale.
    """

    def __init__(self, config: HstuHistory, dimension: int, index: int) -> None:
        super().__init__(name=f"unit_{index}")
        self._heads = config.heads
        self._norms = [Norm(dimension, f"norm_{part}") for part in range(2)]
        self._enter = tf_keras.layers.Dense(4 * dimension, "silu", use_bias=False)
        self._positions = self.add_weight(
            name="positions", shape=(config.heads, config.window + 1), initializer=short()
        )
        self._times = None
        if config.reads_times:
            self._times = self.add_weight(name="times", shape=(BUCKETS,), initializer=short())
        self._dropout = config.dropout
        self._leave = tf_keras.layers.Dense(dimension)

    def call(self, x: Any, buckets: Any, known: Any, draws: Draws | None = None) -> Any:
        u, v, q, k = tf.split(self._enter(self._norms[0](x)), 4, axis=-1)
        q, k, v = (by_head(part, self._heads) for part in (q, k, v))
        length = tf.shape(x)[1]
        by_position = tf.gather(
            self._positions, tf.maximum(ages_of(length), 0), axis=1
        )  # (h, n, n)
        scores = tf.matmul(q, k, transpose_b=True) + by_position
        if buckets is not None and self._times is not None:
            by_time = tf.gather(self._times, buckets) * known[:, None, None]
            scores += by_time[:, None]
        visible = tf.range(1, length + 1, dtype=scores.dtype)[:, None]
        weights = tf.nn.silu(scores) * (tf.cast(causal_mask(length), scores.dtype) / visible)
        attended = self._norms[1](merged(tf.matmul(weights, v)))
        gated = attended * u
        if draws is not None:
            gated = draws.dropout(gated, self._dropout)
        return x + self._leave(gated)
