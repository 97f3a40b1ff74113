"""Training of the bidirectional language model of "elmo".

Each random choice has a seed of its own, so that a resumed training ends with the same weights.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys._tf import compiled, tf, tf_keras
from recsys.encoders.elmo.config import ElmoConfig
from recsys.encoders.elmo.network import ElmoNetwork
from recsys.encoders.elmo.tokens import ElmoVocabulary, WindowBatch, window_batches
from recsys.encoders.epochs import train_epochs, training_key
from recsys.encoders.words.tokens import Text
from recsys.progress import Progress

_CLIP = 1.0
_POWER = 0.75
"""Exponent of the words' counts in the distribution of negatives."""


def train(
    config: ElmoConfig,
    network: ElmoNetwork,
    vocabulary: ElmoVocabulary,
    windows: Sequence[Text],
    checkpoints: Path | None,
    progress: Progress,
) -> None:
    """Train ``network`` on ``windows`` of one word or more each."""
    trained, held_out = _split(config, windows)
    softmax = _Softmax(config, vocabulary, trained)
    weights = [*network.trained, *softmax.variables]
    rng = np.random.default_rng((config.seed, 0))
    steps = len(window_batches(trained, config.batch_words, rng))
    decay = tf_keras.optimizers.schedules.CosineDecay(config.learning_rate, config.epochs * steps)
    optimizer = tf_keras.optimizers.Adam(decay, global_clipnorm=_CLIP)
    optimizer.build(weights)  # A checkpoint needs the optimizer's variables.
    step = _step(config, network, softmax, optimizer, weights)
    nats = _nats(network, softmax)
    train_epochs(
        partial(_epoch, config, vocabulary, trained, softmax, step),
        config.epochs,
        name=config.name,
        key=training_key(config, (json.dumps(window).encode() for window in windows)),
        weights=weights,
        optimizer=optimizer,
        checkpoints=checkpoints,
        progress=progress,
        note=lambda loss: f"loss {loss:.3f}{_perplexity(vocabulary, held_out, nats)}",
    )


def _split(config: ElmoConfig, windows: Sequence[Text]) -> tuple[Sequence[Text], Sequence[Text]]:
    """Training windows, and a random share that is held out; few windows are all trained on."""
    rng = np.random.default_rng(config.seed)
    chosen = rng.permutation(len(windows))[: int(config.held_out * len(windows))]
    held_out = set(chosen.tolist())
    trained = [window for number, window in enumerate(windows) if number not in held_out]
    return trained, [windows[number] for number in sorted(held_out)]


class _Softmax:
    """The output layer, shared by both directions and discarded after the training.

    Attributes:
        vectors: Output embeddings, float32 ``[words, d / 2]``.
        bias: Bias of each word, float32 ``[words]``.
        share: Probability of each word as a negative, float64 ``[words]``.
    """

    def __init__(
        self, config: ElmoConfig, vocabulary: ElmoVocabulary, windows: Sequence[Text]
    ) -> None:
        shape = (len(vocabulary), config.dimension // 2)
        seed = (config.seed, 1)
        self.vectors = tf.Variable(tf.random.stateless_normal(shape, seed, stddev=0.05))
        self.bias = tf.Variable(tf.zeros(len(vocabulary)))
        self.variables = [self.vectors, self.bias]
        counts = np.ones(len(vocabulary))
        for window in windows:
            np.add.at(counts, vocabulary.ids(window), 1)
        counts[:2] += len(windows)
        powers = counts**_POWER
        self.share = powers / powers.sum()
        self._ends = np.cumsum(self.share)

    def negatives(self, count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """``count`` negatives, drawn with replacement."""
        found = np.searchsorted(self._ends, rng.random(count), side="right")
        return np.minimum(found, len(self._ends) - 1).astype(np.int64)


def _epoch(
    config: ElmoConfig,
    vocabulary: ElmoVocabulary,
    windows: Sequence[Text],
    softmax: _Softmax,
    step: Any,
    epoch: int,
) -> float:
    """One pass over the windows; the mean loss of its steps."""
    rng = np.random.default_rng((config.seed, epoch))
    losses = []
    for positions in window_batches(windows, config.batch_words, rng):
        batch = vocabulary.batch([windows[position] for position in positions])
        negatives = softmax.negatives(config.negatives, rng)
        seed = np.array(rng.integers(0, 1 << 31, 2), np.int32)
        losses.append(float(step(*_read(batch), batch.ids, negatives, seed)))
    return float(np.mean(losses))


def _read(batch: WindowBatch) -> tuple[Any, Any, Any]:
    return batch.distinct, batch.index, batch.lengths


def _perplexity(vocabulary: ElmoVocabulary, windows: Sequence[Text], nats: Any) -> str:
    """The perplexity of held-out windows over the whole vocabulary, both directions, as text."""
    if not windows:
        return ""
    total = words = 0.0
    for positions in window_batches(windows, 2_048):
        batch = vocabulary.batch([windows[position] for position in positions])
        each = nats(*_read(batch), batch.ids).numpy()
        total, words = total + float(each.sum()), words + len(each)
    return f", perplexity {math.exp(min(total / words, 700)):,.1f}"


def _step(
    config: ElmoConfig,
    network: ElmoNetwork,
    softmax: _Softmax,
    optimizer: Any,
    weights: Sequence[Any],
) -> Any:
    """One step of the optimizer on a batch; see ``ElmoConfig`` for the loss."""
    share = tf.constant(softmax.share, tf.float32)
    signature = [
        *network.signature,
        tf.TensorSpec([None, None], tf.int32),
        tf.TensorSpec([None], tf.int64),
        tf.TensorSpec([2], tf.int32),
    ]

    @compiled(input_signature=signature)  # type: ignore[untyped-decorator]
    def step(distinct: Any, index: Any, lengths: Any, ids: Any, negatives: Any, seed: Any) -> Any:
        drop = _Drop(config.dropout, seed)
        with tf.GradientTape() as tape:
            states = network.states(distinct, index, lengths, drop=drop)
            last, following = _predictions(states, ids, lengths)
            expected = config.negatives * tf.gather(share, following)[:, None]
            sampled = (negatives, expected, config.negatives * tf.gather(share, negatives))
            each = tf.nn.sampled_softmax_loss(
                softmax.vectors,
                softmax.bias,
                tf.cast(following, tf.int64)[:, None],
                drop(last),
                config.negatives,
                len(softmax.share),
                sampled_values=sampled,
            )
            loss = tf.reduce_mean(each)
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return loss

    return step


def _nats(network: ElmoNetwork, softmax: _Softmax) -> Any:
    """Of each prediction of a batch, -log of the probability of the true word."""

    @compiled(  # type: ignore[untyped-decorator]
        input_signature=[*network.signature, tf.TensorSpec([None, None], tf.int32)]
    )
    def nats(distinct: Any, index: Any, lengths: Any, ids: Any) -> Any:
        states = network.states(distinct, index, lengths)
        last, following = _predictions(states, ids, lengths)
        logits = tf.matmul(last, softmax.vectors, transpose_b=True) + softmax.bias
        return tf.nn.sparse_softmax_cross_entropy_with_logits(following, logits)

    return nats


def _predictions(states: tuple[list[Any], list[Any]], ids: Any, lengths: Any) -> tuple[Any, Any]:
    """The last layer's states that predict a word, and the id of that word.

    A forward state predicts the next word, a backward state the previous one; each pair of adjacent
    words is used in both directions.

    Returns:
        float32 ``[2 pairs, d / 2]`` and int32 ``[2 pairs]``.
    """
    forward, backward = states[0][-1], states[1][-1]  # (t, b, d / 2)
    words = tf.transpose(ids)  # (t, b)
    pairs = tf.transpose(tf.sequence_mask(lengths - 1, tf.shape(ids)[1] - 1))
    chosen = partial(tf.boolean_mask, mask=pairs)
    last = tf.concat([chosen(forward[:-1]), chosen(backward[1:])], axis=0)
    return last, tf.concat([chosen(words[1:]), chosen(words[:-1])], axis=0)


class _Drop:
    """Dropout with a different mask at each call, from one seed."""

    def __init__(self, rate: float, seed: Any) -> None:
        self._rate = rate
        self._seed = seed
        self._calls = 0

    def __call__(self, states: Any) -> Any:
        if not self._rate:
            return states
        self._calls += 1
        seed = tf.random.experimental.stateless_fold_in(self._seed, self._calls)
        return tf.nn.experimental.stateless_dropout(states, self._rate, seed=seed)
