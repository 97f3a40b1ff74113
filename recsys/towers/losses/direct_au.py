"""Alignment and uniformity."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf
from recsys.towers.losses.api import Loss, Positions
from recsys.towers.losses.configs import DirectAU
from recsys.towers.losses.masks import MASKED


class DirectAULoss(Loss):
    """DirectAU (Wang et al., KDD 2022, eqs. 4 to 6), over a batch of queries q and positives v.

        L = mean |q - v+|^2 + gamma (U(queries) + U(positives)) / 2
        U(x) = log mean over pairs of e^(-2 |x - x'|^2)

    True pairs come together, and the rest spreads over the sphere; no negative is drawn. Pairs are
    of two positions, weighted by both; two positions of one item are no pair of items (an
    accidental hit). Without any pair U is 0. Mined rows are not read.
    """

    def __init__(self, config: DirectAU) -> None:
        self._config = config

    def candidates(self, positives: Any, mined: Any) -> Any:
        return tf.zeros((0,), tf.int32)

    def compute(self, positions: Positions) -> Any:
        aligned = positions.mean(2 - 2 * positions.own_scores())  # |q - v|^2 of unit vectors
        drawn = tf.random.shuffle(tf.range(tf.size(positions.positives)))
        drawn = drawn[: self._config.positions]
        weights = tf.gather(positions.weights, drawn)
        rows = tf.gather(positions.positives, drawn)
        selves = tf.eye(tf.size(drawn)) > 0
        queries = _uniformity(tf.gather(positions.queries, drawn), weights, selves)
        vectors = tf.gather(positions.positive_vectors, drawn)
        items = _uniformity(vectors, weights, rows[:, None] == rows[None, :])
        return aligned + self._config.gamma * (queries + items) / 2


def _uniformity(vectors: Any, weights: Any, no_pair: Any) -> Any:
    """log sum w w' e^(-2 |x - x'|^2) - log sum w w', over the pairs; 0 without any."""
    pairs = weights[:, None] * weights[None, :]
    pairs = tf.where(no_pair, 0.0, pairs)
    closeness = 4 * (tf.matmul(vectors, vectors, transpose_b=True) - 1)
    logits = tf.where(pairs > 0, closeness + tf.math.log(tf.maximum(pairs, 1e-30)), MASKED)
    total = tf.reduce_sum(pairs)
    value = tf.reduce_logsumexp(logits) - tf.math.log(tf.maximum(total, 1e-30))
    return tf.where(total > 0, value, 0.0)
