"""Softmax over a sample of the catalogue, corrected for how it was drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys._tf import tf
from recsys.interactions import Interactions
from recsys.towers.losses.api import Loss, Positions
from recsys.towers.losses.configs import InBatchSoftmax, SampledSoftmax
from recsys.towers.losses.masks import Mask
from recsys.towers.losses.softmax import cross_entropy


class SampledSoftmaxLoss(Loss):
    """The full softmax, its sum estimated from a set C of different candidates.

        L = -log( e^l(v+) / (e^l(v+) + sum over v in C, v not v+, of e^l(v)) )
        l(v) = q . v / temperature - log Q(v)

    C holds the p positives of the batch (Yi et al., RecSys 2019), n uniform draws, or both (mixed
    negatives, Yang et al., WWW 2020). Q(v) is the probability that v is in C:

        Q(v) = 1 - (1 - count(v) / counts)^p (1 - 1 / items)^n

    so that the sum is, in expectation, that of the full softmax. An item is in C once, however
    often it was drawn: an expected number of copies in the place of Q, as usual, is right while
    copies are rare, and holds popular items for less probable than they are where the copies of
    the positive are taken out as accidental hits.

    ``correction`` says whose score log Q is taken from. ``negatives``: not from the positive,
    which is there with certainty (Khrylchenko et al., "Correcting the LogQ correction", RecSys
    2025). ``all``: from the positive too, as in Yi et al.,
    which tells which of C is the true one (Jean et al. 2015); exact for samples of a few, and the
    same for large ones. ``none``: in-batch negatives then teach how much likelier than usual an
    item is, not how likely; rare items rank higher.
    """

    def __init__(self, config: InBatchSoftmax | SampledSoftmax, log: Interactions) -> None:
        self._temperature, self._correction = config.temperature, config.correction
        self._mask = Mask(config.mask, log)
        self._mixed, self._uniform = True, 0
        if isinstance(config, SampledSoftmax):
            self._mixed, self._uniform = config.in_batch == "all", config.negatives
        warm = np.flatnonzero(log.warm)
        self._warm = tf.constant(warm, tf.int32)
        # log(1 - share), below 0 however sure an item is, so that no product is 0 times infinity.
        share = np.minimum(log.item_counts / max(int(log.item_counts.sum()), 1), 1 - 1e-7)
        self._log_not_positive = tf.constant(np.log1p(-share), tf.float32)
        self._log_not_drawn = float(np.log1p(-min(1 / max(len(warm), 1), 1 - 1e-7)))

    def candidates(self, positives: Any) -> Any:
        drawn = tf.random.uniform((self._uniform,), maxval=tf.size(self._warm), dtype=tf.int32)
        parts = [*([positives] if self._mixed else []), tf.gather(self._warm, drawn)]
        return tf.unique(tf.concat(parts, axis=0)).y

    def compute(self, positions: Positions) -> Any:
        own = positions.own_scores() / self._temperature
        scores = positions.scores(self._temperature)
        negatives = scores
        if self._correction != "none":
            negatives = scores - self._log_q(positions, positions.candidates)
        positive = own
        if self._correction == "all":
            positive = own - self._log_q(positions, positions.positives)
        return positions.mean(cross_entropy(positive, self._mask.hide(negatives, positions)))

    def _log_q(self, positions: Positions, rows: Any) -> Any:
        """The log of the probability that each of ``rows`` is among the candidates."""
        batch = tf.cast(tf.size(positions.positives), tf.float32) if self._mixed else 0.0
        log_missed = batch * tf.gather(self._log_not_positive, rows)
        log_missed += self._uniform * self._log_not_drawn
        return tf.math.log(-tf.math.expm1(log_missed))
