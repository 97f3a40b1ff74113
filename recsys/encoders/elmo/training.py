"""Trains the bidirectional language model of "elmo"; resumes after the last whole epoch.

Every random choice has its own seed, so nothing outside is touched and a resumed run ends where
an unbroken one does.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys._tf import compiled, tf, tf_keras
from recsys.encoders.checkpoints import keeper
from recsys.encoders.elmo.config import ElmoConfig
from recsys.encoders.elmo.network import Network
from recsys.encoders.elmo.tokens import Batch, Vocabulary, batches_of_like_length
from recsys.encoders.words.word_counts import Text
from recsys.errors import EncoderError
from recsys.progress import Progress, silent

WHAT = "train language model"
_CLIP = 1.0
_POWER = 0.75
"""Of the words' counts, for the drawn words."""


@dataclass(frozen=True, eq=False)
class _Windows:
    """What is trained on, and what is held out to tell the perplexity."""

    trained: Sequence[Text]
    held_out: Sequence[Text]


def train(
    config: ElmoConfig,
    network: Network,
    vocabulary: Vocabulary,
    windows: Sequence[Text],
    *,
    checkpoints: Path | None = None,
    progress: Progress = silent,
) -> None:
    """Train ``network``.

    Args:
        config: Sizes and schedule.
        network: As it begins.
        vocabulary: Of the words of ``windows``.
        windows: Of one word or more each.
        checkpoints: A folder that no other encoder of this kind trains in, or None.
        progress: Told of every epoch, with its loss and the perplexity of held-out windows.

    Raises:
        EncoderError: The loss is not finite.
    """
    parts = _parted(config, windows)
    softmax = _Softmax(config, vocabulary, parts.trained)
    weights = [*network.trained, *softmax.variables]
    rng = np.random.default_rng((config.seed, 0))
    steps = len(batches_of_like_length(parts.trained, config.batch_words, rng))
    decay = tf_keras.optimizers.schedules.CosineDecay(config.learning_rate, config.epochs * steps)
    optimizer = tf_keras.optimizers.Adam(decay, global_clipnorm=_CLIP)
    optimizer.build(weights)  # So that a checkpoint finds all of the optimizer's state.
    epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
    kept = keeper(
        checkpoints,
        config.name,
        _training(config, windows),
        weights=weights,
        optimizer=optimizer,
        epoch=epoch,
    )
    step = _step(config, network, softmax, optimizer, weights)
    nats = _nats(network, softmax)
    while (done := int(epoch.numpy())) < config.epochs:
        loss = _epoch(config, vocabulary, parts.trained, softmax, step, done)
        if not math.isfinite(loss):
            raise EncoderError(
                f"the language model's loss became {loss} in epoch {done + 1}: "
                "lower 'learning_rate'"
            )
        epoch.assign_add(1)
        if kept is not None:
            kept.save(checkpoint_number=done + 1)
        told = f"loss {loss:.3f}{_told(vocabulary, parts.held_out, nats)}"
        progress(WHAT, done + 1, config.epochs, told)


def _parted(config: ElmoConfig, windows: Sequence[Text]) -> _Windows:
    """A random share of the windows aside; of few windows none."""
    rng = np.random.default_rng(config.seed)
    aside = rng.permutation(len(windows))[: int(config.held_out * len(windows))]
    held_out = set(aside.tolist())
    return _Windows(
        [window for number, window in enumerate(windows) if number not in held_out],
        [windows[number] for number in sorted(held_out)],
    )


def _training(config: ElmoConfig, windows: Sequence[Text]) -> str:
    """A hash of all that a training depends on."""
    digest = hashlib.sha256(config.model_dump_json().encode())
    for window in windows:
        digest.update(json.dumps(window).encode())
    return digest.hexdigest()


class _Softmax:
    """The output of the language model, shared by both directions; thrown away after training.

    Attributes:
        vectors: float32 ``[words, d / 2]``.
        bias: float32 ``[words]``.
        share: float64 ``[words]``, how probable it is that a word is drawn.
    """

    def __init__(self, config: ElmoConfig, vocabulary: Vocabulary, windows: Sequence[Text]) -> None:
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

    def drawn(self, count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """``count`` words, drawn with replacement."""
        found = np.searchsorted(self._ends, rng.random(count), side="right")
        return np.minimum(found, len(self._ends) - 1).astype(np.int64)


def _epoch(
    config: ElmoConfig,
    vocabulary: Vocabulary,
    windows: Sequence[Text],
    softmax: _Softmax,
    step: Any,
    epoch: int,
) -> float:
    """One pass over the windows; the mean loss of its steps."""
    rng = np.random.default_rng((config.seed, epoch))
    losses = []
    for positions in batches_of_like_length(windows, config.batch_words, rng):
        batch = vocabulary.batch([windows[position] for position in positions])
        drawn = softmax.drawn(config.negatives, rng)
        seed = np.array(rng.integers(0, 1 << 31, 2), np.int32)
        losses.append(float(step(*_read(batch), batch.ids, drawn, seed)))
    return float(np.mean(losses))


def _read(batch: Batch) -> tuple[Any, Any, Any]:
    return batch.distinct, batch.index, batch.lengths


def _told(vocabulary: Vocabulary, windows: Sequence[Text], nats: Any) -> str:
    """The perplexity of held-out windows, over the whole vocabulary and both directions."""
    if not windows:
        return ""
    total = words = 0.0
    for positions in batches_of_like_length(windows, 2_048):
        batch = vocabulary.batch([windows[position] for position in positions])
        each = nats(*_read(batch), batch.ids).numpy()
        total, words = total + float(each.sum()), words + len(each)
    return f", perplexity {math.exp(min(total / words, 700)):,.1f}"


def _step(
    config: ElmoConfig, network: Network, softmax: _Softmax, optimizer: Any, weights: Sequence[Any]
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
    def step(distinct: Any, index: Any, lengths: Any, ids: Any, drawn: Any, seed: Any) -> Any:
        drop = _Drop(config.dropout, seed)
        with tf.GradientTape() as tape:
            states = network.states(distinct, index, lengths, drop=drop)
            last, following = _predictions(states, ids, lengths)
            expected = config.negatives * tf.gather(share, following)[:, None]
            sampled = (drawn, expected, config.negatives * tf.gather(share, drawn))
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


def _nats(network: Network, softmax: _Softmax) -> Any:
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

    A forward state predicts the word after it, a backward one the word before it; a word and the
    one after it are a pair, and each pair is asked for both ways.

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
    """Dropout, another one at each call, all from one seed."""

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
