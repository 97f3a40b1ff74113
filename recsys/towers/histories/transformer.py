"""A causal transformer over a history, of blocks as in SASRec or in eSASRec."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf, tf_keras
from recsys.towers.histories.attention import CausalAttention
from recsys.towers.histories.configs import TransformerHistory
from recsys.towers.histories.norm import Norm
from recsys.towers.histories.tokens import Tokens


class Transformer(tf_keras.layers.Layer):  # type: ignore[misc]
    """State j is what the last block gives at place j of :class:`Tokens`, normalised."""

    def __init__(self, config: TransformerHistory, dimension: int) -> None:
        super().__init__(name="transformer_history")
        self._tokens = Tokens(config.window, dimension, config.dropout)
        self._blocks = [_Block(config, dimension, index) for index in range(config.blocks)]
        self._norm = Norm(dimension) if config.norm == "pre" else None

    def call(self, vectors: Any, times: Any = None, training: bool = False) -> Any:
        x = self._tokens(vectors, training=training)
        for block in self._blocks:
            x = block(x, training=training)
        return x if self._norm is None else self._norm(x)


class _Block(tf_keras.layers.Layer):  # type: ignore[misc]
    """Two parts f, causal attention and a feed-forward net, each beside the path of x.

    With g(x) = 1 in ``sasrec`` (Kang & McAuley, ICDM 2018) and g(x) = sigmoid(G x + b) in ``ligr``
    (Borisyuk et al., "From Features to Transformers", 2025, as eSASRec takes it over):

        pre:  x <- x + g(x) * f(norm x)
        post: x <- norm( x + g(x) * f(x) )

    The feed-forward net is B gelu(A x + a) + b in ``sasrec``, and C( silu(A x) * (B x) ), SwiGLU
    (Shazeer 2020), in ``ligr``. What f gives is subject to dropout.
    """

    def __init__(self, config: TransformerHistory, dimension: int, index: int) -> None:
        super().__init__(name=f"block_{index}")
        hidden = config.expansion * dimension
        self._attention = CausalAttention(config.heads, dimension, config.dropout)
        self._gates = None
        if config.block == "ligr":
            self._gates = [tf_keras.layers.Dense(dimension, "sigmoid") for _ in range(2)]
            self._feed = _SwiGLU(hidden, dimension)
        else:
            self._feed = _FeedForward(hidden, dimension)
        self._norms = [Norm(dimension, f"norm_{part}") for part in range(2)]
        self._first = config.norm == "pre"
        self._dropout = tf_keras.layers.Dropout(config.dropout)

    def call(self, x: Any, training: bool = False) -> Any:
        parts: tuple[Any, Any] = self._attention, self._feed
        for at, part in enumerate(parts):
            norm = self._norms[at]
            given = self._dropout(
                part(norm(x) if self._first else x, training=training), training=training
            )
            x += given if self._gates is None else self._gates[at](x) * given
            x = x if self._first else norm(x)
        return x


class _FeedForward(tf_keras.layers.Layer):  # type: ignore[misc]
    def __init__(self, hidden: int, dimension: int) -> None:
        super().__init__(name="feed_forward")
        self._widen = tf_keras.layers.Dense(hidden, activation="gelu")
        self._narrow = tf_keras.layers.Dense(dimension)

    def call(self, x: Any, training: bool = False) -> Any:
        return self._narrow(self._widen(x))


class _SwiGLU(tf_keras.layers.Layer):  # type: ignore[misc]
    def __init__(self, hidden: int, dimension: int) -> None:
        super().__init__(name="swiglu")
        self._widen = tf_keras.layers.Dense(2 * hidden, use_bias=False)
        self._narrow = tf_keras.layers.Dense(dimension, use_bias=False)

    def call(self, x: Any, training: bool = False) -> Any:
        gate, value = tf.split(self._widen(x), 2, axis=-1)
        return self._narrow(tf.nn.silu(gate) * value)
