"""The mix of the layers of "elmo": trained weights of the layers of a frozen language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys._tf import compiled, tf, tf_keras
from recsys.encoders.elmo.config import ElmoConfig
from recsys.encoders.elmo.reading import LayerReader, Precise
from recsys.encoders.whitening import whitening
from recsys.encoders.words.tokens import Text
from recsys.ids import Vectors
from recsys.progress import Progress, silent

_BATCH = 128
_STEPS = 200
_LEARNING_RATE = 0.1
_MAX_TEXTS = 10_000
_SHRINKAGE = 0.1
_GAMMA = 10.0
"""Initial gamma."""


@dataclass(frozen=True, eq=False)
class LayerMix:
    """``gamma * sum over j of weights_j (h_j - centre_j) @ whitening_j``: Peters et al., eq. 1.

    Attributes:
        weights: Weight of each layer, float32 ``[layers]``, positive, of sum 1.
        gamma: Scale, float32 ``[]``, positive.
        centre: Mean of each layer over texts, float32 ``[layers, d]``.
        whitening: Whitening of each layer, float32 ``[layers, d, d]``.
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


def train_mix(
    config: ElmoConfig, reader: LayerReader, texts: Sequence[Text], progress: Progress
) -> LayerMix:
    """Train the mix on ``texts``; see ``ElmoConfig`` for the task and its loss.

    The weights are equal if fewer than two texts have a known word in both halves.
    """
    firsts, seconds = _halves(config, reader, texts, progress)
    both = np.concatenate([firsts, seconds])  # (2 n, layers, d)
    count, size = reader.network.layers, reader.network.dimension
    centre, white = np.zeros((count, size)), np.tile(np.eye(size), (count, 1, 1))
    weights, gamma = np.full(count, 1 / count), np.array(_GAMMA)
    if len(firsts) >= 2:
        centre = both.mean(axis=0)
        white = np.stack(
            [whitening(both[:, layer], shrinkage=_SHRINKAGE) for layer in range(count)]
        )
        halves = [
            np.einsum("nld,lde->nle", half - centre, white).astype(np.float32)
            for half in (firsts, seconds)
        ]
        weights, gamma = train_weights(config, halves[0], halves[1], progress)
    parts = (weights, gamma, centre, white)
    return LayerMix(*(np.asarray(part, np.float32) for part in parts))


def _halves(
    config: ElmoConfig, reader: LayerReader, texts: Sequence[Text], progress: Progress
) -> tuple[Precise, Precise]:
    """The layers, float64 ``[n, layers, d]``, of the first and second halves of texts, each read
    without the other."""
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


def train_weights(
    config: ElmoConfig, firsts: Vectors, seconds: Vectors, progress: Progress = silent
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The layers' weights ``[layers]`` and gamma, from halves of texts, ``[n, layers, d]`` each."""
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
            nats = tf.nn.sparse_softmax_cross_entropy_with_logits
            loss = tf.reduce_mean(nats(own, logits) + nats(own, tf.transpose(logits))) / 2
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
    progress("train the mix of layers", 1, 1, f"loss {np.mean(losses[-50:]):.3f}, layers {shares}")
    return weights, np.exp(log_gamma.numpy())


def _mixed(layers: Any, scores: Any) -> Any:
    mixed = tf.einsum("bld,l->bd", layers, tf.nn.softmax(scores))
    return tf.math.l2_normalize(mixed, axis=1)
