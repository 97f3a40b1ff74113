"""A causal transformer over a history, as in SASRec (Kang & McAuley, ICDM 2018)."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf_keras
from recsys.towers.draws import Draws
from recsys.towers.histories.attention import CausalAttention
from recsys.towers.histories.configs import TransformerHistory
from recsys.towers.histories.norm import Norm
from recsys.towers.histories.tokens import Tokens


class Transformer(tf_keras.layers.Layer):  # type: ignore[misc]
    """State j is the last block's output at position j of :class:`Tokens`, normalised."""

    def __init__(self, config: TransformerHistory, dimension: int) -> None:
        super().__init__(name="transformer_history")
        self._tokens = Tokens(config.window, dimension, config.dropout)
        self._blocks = [_Block(config, dimension, index) for index in range(config.blocks)]
        self._norm = Norm(dimension) if config.norm == "pre" else None

    def call(self, vectors: Any, times: Any = None, draws: Draws | None = None) -> Any:
        x = self._tokens(vectors, draws=draws)
        for block in self._blocks:
            x = block(x, draws=draws)
        return x if self._norm is None else self._norm(x)


class _Block(tf_keras.layers.Layer):  # type: ignore[misc]
    """Causal attention and a feed-forward network B gelu(A x + a) + b, each as a residual part f.

        pre:  x <- x + f(norm x)
        post: x <- norm( x + f(x) )

    Dropout applies to the output of f.
    """

    def __init__(self, config: TransformerHistory, dimension: int, index: int) -> None:
        super().__init__(name=f"block_{index}")
        self._attention = CausalAttention(config.heads, dimension, config.dropout)
        self._widen = tf_keras.layers.Dense(config.expansion * dimension, activation="gelu")
        self._narrow = tf_keras.layers.Dense(dimension)
        self._norms = [Norm(dimension, f"norm_{part}") for part in range(2)]
        self._norm_first = config.norm == "pre"
        self._dropout = config.dropout

    def call(self, x: Any, draws: Draws | None = None) -> Any:
        x = self._residual(x, self._norms[0], self._attention, draws)
        return self._residual(x, self._norms[1], self._feed_forward, draws)

    def _feed_forward(self, x: Any, draws: Draws | None) -> Any:
        return self._narrow(self._widen(x))

    def _residual(self, x: Any, norm: Norm, part: Any, draws: Draws | None) -> Any:
        change = part(norm(x) if self._norm_first else x, draws=draws)
        if draws is not None:
            change = draws.dropout(change, self._dropout)
        return x + change if self._norm_first else norm(x + change)
