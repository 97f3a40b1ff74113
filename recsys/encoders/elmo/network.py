"""The network of "elmo": an embedding of words, and a stack of LSTMs per direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from recsys._tf import tf, tf_keras
from recsys.encoders.elmo.config import ElmoConfig
from recsys.encoders.elmo.tokens import SYMBOLS
from recsys.ids import Vectors

Drop = Callable[[Any], Any]
"""Dropout."""

_SYMBOL_WIDTH = 16
_CONVOLUTIONS = ((1, 32), (2, 32), (3, 64), (4, 128))
"""Width in characters and number of filters of each convolution."""


class _Seeds:
    """A different seed for each random initial value."""

    def __init__(self, seed: int) -> None:
        self._next = 1_000 * seed

    def __call__(self) -> int:
        self._next += 1
        return self._next

    def normal(self, *shape: int, deviation: float) -> Any:
        """A variable of this shape with normal values."""
        seed = (self(), 0)
        return tf.Variable(tf.random.stateless_normal(shape, seed, stddev=deviation))

    def glorot(self) -> Any:
        return tf_keras.initializers.GlorotUniform(seed=self())

    def orthogonal(self) -> Any:
        return tf_keras.initializers.Orthogonal(seed=self())


def _built(layer: Any, width: int) -> Any:
    """``layer``, built for inputs of this width."""
    layer.build((None, None, width))
    return layer


class WordTable:
    """Frozen embeddings, float32 ``[u, h]``, of the distinct words of a ``WindowBatch``."""

    def __init__(self, words: int, width: int) -> None:
        self.table = tf.Variable(tf.zeros((words, width)))
        self.variables = [self.table]
        self.trained: list[Any] = []

    def __call__(self, distinct: Any) -> Any:
        return tf.gather(self.table, distinct)


class CharacterCnn:
    """Embeddings of words by their characters.

    Convolutions over the characters, their maxima over the word, one highway layer, a projection:
    Kim, Jernite, Sontag, Rush, "Character-aware neural language models", AAAI 2016, as in
    Peters et al. 2018.
    """

    def __init__(self, width: int, seeds: _Seeds) -> None:
        total = sum(filters for _, filters in _CONVOLUTIONS)
        self._symbols = seeds.normal(SYMBOLS, _SYMBOL_WIDTH, deviation=0.25)
        self._convolutions = [
            _built(
                tf_keras.layers.Conv1D(
                    filters, size, activation="relu", kernel_initializer=seeds.glorot()
                ),
                _SYMBOL_WIDTH,
            )
            for size, filters in _CONVOLUTIONS
        ]
        self._changed = _dense(total, total, seeds, activation="relu")
        self._gate = _dense(total, total, seeds, activation="sigmoid", bias=-2.0)
        self._projection = _dense(total, width, seeds)
        parts = [*self._convolutions, self._changed, self._gate, self._projection]
        self.variables = [self._symbols, *(v for part in parts for v in part.trainable_variables)]
        self.trained = self.variables

    def __call__(self, distinct: Any) -> Any:
        letters = tf.gather(self._symbols, distinct)  # (u, s, 16)
        # With at least one padding per convolution the amount of padding does not matter.
        filled = tf.cast(distinct > 0, tf.float32)[:, :, None]
        letters = tf.pad(letters * filled, [[0, 0], [0, _CONVOLUTIONS[-1][0]], [0, 0]])
        maxima = [tf.reduce_max(layer(letters), axis=1) for layer in self._convolutions]
        word = tf.concat(maxima, axis=1)  # (u, filters)
        gate = self._gate(word)
        return self._projection(gate * self._changed(word) + (1 - gate) * word)


def _dense(inputs: int, width: int, seeds: _Seeds, *, bias: float = 0.0, **options: Any) -> Any:
    layer = tf_keras.layers.Dense(
        width,
        kernel_initializer=seeds.glorot(),
        bias_initializer=tf_keras.initializers.Constant(bias),
        **options,
    )
    return _built(layer, inputs)


def _lstm(width: int, seeds: _Seeds) -> Any:
    """A cell in an ``RNN``: as fast on a CPU as ``LSTM``, and traced in half the time."""
    cell = tf_keras.layers.LSTMCell(
        width,
        kernel_initializer=seeds.glorot(),
        recurrent_initializer=seeds.orthogonal(),
    )
    return _built(tf_keras.layers.RNN(cell, return_sequences=True, time_major=True), width)


class ElmoNetwork:
    """The bidirectional language model: an embedding, and LSTMs forward and backward.

    The two directions share the embedding and nothing else. From the second layer on, a layer's
    input is added to its output, as in Peters et al. 2018.

    Args:
        config: Configuration.
        words: Size of the vocabulary.

    Attributes:
        dimension: Length of a word's vector in each layer, both directions together.
        layers: Number of layers, the embedding included.
        variables: All weights, in a fixed order.
        trained: Weights that the language model trains.
        signature: Signature of ``distinct``, ``index`` and ``lengths`` of a batch.
    """

    def __init__(self, config: ElmoConfig, words: int) -> None:
        self.dimension = config.dimension
        self.layers = 1 + config.layers
        seeds, half = _Seeds(config.seed), config.dimension // 2
        by_words = config.tokens == "words"
        self._embedding = WordTable(words, half) if by_words else CharacterCnn(half, seeds)
        self._forward = [_lstm(half, seeds) for _ in range(config.layers)]
        self._backward = [_lstm(half, seeds) for _ in range(config.layers)]
        lstms = [*self._forward, *self._backward]
        weights = [weight for lstm in lstms for weight in lstm.trainable_variables]
        self.variables = [*self._embedding.variables, *weights]
        self.trained = [*self._embedding.trained, *weights]
        self.signature = (
            tf.TensorSpec([None] if by_words else [None, None], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None], tf.int32),
        )

    def embed_words_as(self, table: Vectors) -> None:
        """Set the embeddings of the vocabulary, ``[words, d / 2]``."""
        self._embedding.variables[0].assign(table)

    def states(
        self, distinct: Any, index: Any, lengths: Any, *, drop: Drop = tf.identity
    ) -> tuple[list[Any], list[Any]]:
        """The states of a batch, forward and backward, from the embedding upwards.

        Padding comes last in each direction of reading, so that no used state has read it.

        Returns:
            Two lists of 1 + layers tensors, float32 ``[t, b, d / 2]``.
        """
        embedded = drop(tf.gather(self._embedding(distinct), tf.transpose(index)))

        def reversed_(states: Any) -> Any:
            return tf.reverse_sequence(states, lengths, seq_axis=0, batch_axis=1)

        forward = _stacked(self._forward, embedded, drop)
        backward = _stacked(self._backward, reversed_(embedded), drop)
        return [embedded, *forward], [embedded, *map(reversed_, backward)]


def _stacked(lstms: Sequence[Any], states: Any, drop: Drop) -> list[Any]:
    """The output of each layer."""
    outputs: list[Any] = []
    for lstm in lstms:
        read = lstm(states)
        outputs.append(read + states if outputs else read)
        states = drop(outputs[-1])
    return outputs
