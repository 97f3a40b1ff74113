"""How the layers of "elmo" are mixed, and how the weights of the mix are learned.

The language model is frozen; learned are a weight for each layer and one scale, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys._tf import compiled, tf, tf_keras
from recsys.encoders.elmo.config import ElmoConfig
from recsys.encoders.elmo.reading import Precise, Reader
from recsys.encoders.words.whitening import whitening
from recsys.encoders.words.word_counts import Text
from recsys.ids import Vectors
from recsys.progress import Progress, silent

WHAT = "learn the layers' weights"
_BATCH = 128
_STEPS = 200
_LEARNING_RATE = 0.1
_MAX_TEXTS = 10_000
_HELD_BACK = 0.1
_GAMMA = 10.0
"""Where gamma begins."""


@dataclass(frozen=True, eq=False)
class Mixing:
    """``gamma * sum over j of weights_j (h_j - centre_j) @ whitening_j``: Peters et al., eq. 1.

    Attributes:
        weights: float32 ``[layers]``, positive, of sum 1.
        gamma: float32 ``[]``, positive.
        centre: float32 ``[layers, d]``, the mean of each layer's numbers over texts.
        whitening: float32 ``[layers, d, d]``; after it no direction of a layer outweighs another.
    """

    weights: Vectors
    gamma: Vectors
    centre: Vectors
    whitening: Vectors

    def __call__(self, layers: npt.NDArray[Any]) -> Vectors:
        """The mix of ``layers``, float ``[n, layers, d]``, as float32 ``[n, d]``."""
        weighed = self.gamma * self.weights[:, None, None] * self.whitening
        centred = np.asarray(layers - self.centre, np.float32)
        return np.asarray(np.einsum("nld,lde->ne", centred, weighed, optimize=True), np.float32)


def learn(
    config: ElmoConfig, reader: Reader, texts: Sequence[Text], *, progress: Progress = silent
) -> Mixing:
    """Learn the mix on ``texts``; see ``ElmoConfig`` for the task and its loss.

    With fewer than two texts whose halves both have a known word there is nothing to tell apart:
    every layer then weighs the same.
    """
    firsts, seconds = _halves(config, reader, texts, progress)
    both = np.concatenate([firsts, seconds])  # (2 n, layers, d)
    count, size = reader.network.layers, reader.network.dimension
    centre, white = np.zeros((count, size)), np.tile(np.eye(size), (count, 1, 1))
    weights, gamma = np.full(count, 1 / count), np.array(_GAMMA)
    if len(firsts) >= 2:
        centre = both.mean(axis=0)
        white = np.stack(
            [whitening(both[:, layer], held_back=_HELD_BACK) for layer in range(count)]
        )
        halves = [
            np.einsum("nld,lde->nle", half - centre, white).astype(np.float32)
            for half in (firsts, seconds)
        ]
        weights, gamma = learned(config, halves[0], halves[1], progress=progress)
    parts = (weights, gamma, centre, white)
    return Mixing(*(np.asarray(part, np.float32) for part in parts))


def _halves(
    config: ElmoConfig, reader: Reader, texts: Sequence[Text], progress: Progress
) -> tuple[Precise, Precise]:
    """The layers of the first and of the second halves of texts, each read without the other.

    Returns:
        Two of float64 ``[n, layers, d]``.
    """
    chosen = np.flatnonzero([len(text) >= 2 for text in texts])
    if len(chosen) > _MAX_TEXTS:
        rng = np.random.default_rng((config.seed, 2))
        chosen = np.sort(rng.choice(chosen, _MAX_TEXTS, replace=False))
    whole = [texts[row] for row in chosen.tolist()]
    halves = [text[: len(text) // 2] for text in whole]
    halves += [text[len(text) // 2 :] for text in whole]
    layers, weights = reader.texts(halves, progress=progress)
    known = (weights > 0).reshape(2, -1).all(axis=0)
    return layers[: len(chosen)][known], layers[len(chosen) :][known]


def learned(
    config: ElmoConfig, firsts: Vectors, seconds: Vectors, *, progress: Progress = silent
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The layers' weights ``[layers]`` and gamma, of halves of texts, ``[n, layers, d]`` each."""
    scores = tf.Variable(tf.zeros(firsts.shape[1]))
    log_gamma = tf.Variable(np.log(_GAMMA), dtype=tf.float32)
    variables = [scores, log_gamma]
    optimizer = tf_keras.optimizers.Adam(_LEARNING_RATE)
    optimizer.build(variables)

    @compiled(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(first: Any, second: Any) -> Any:
        with tf.GradientTape() as tape:
            mixed = [_mixed(half, scores) for half in (first, second)]
            cosines = tf.matmul(mixed[0], mixed[1], transpose_b=True)  # (b, b)
            logits = tf.exp(log_gamma) * cosines
            own = tf.range(tf.shape(logits)[0])
            ask = tf.nn.sparse_softmax_cross_entropy_with_logits
            loss = tf.reduce_mean(ask(own, logits) + ask(own, tf.transpose(logits))) / 2
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    rng = np.random.default_rng((config.seed, 3))
    batch = min(_BATCH, len(firsts))
    losses = []
    for _ in range(_STEPS):
        rows = rng.choice(len(firsts), batch, replace=False)
        losses.append(float(step(tf.constant(firsts[rows]), tf.constant(seconds[rows]))))
    weights = tf.nn.softmax(scores).numpy()
    shares = " ".join(f"{weight:.2f}" for weight in weights)
    progress(WHAT, 1, 1, f"loss {np.mean(losses[-50:]):.3f}, layers {shares}")
    return weights, np.exp(log_gamma.numpy())


def _mixed(layers: Any, scores: Any) -> Any:
    mixed = tf.einsum("bld,l->bd", layers, tf.nn.softmax(scores))
    return tf.math.l2_normalize(mixed, axis=1)
