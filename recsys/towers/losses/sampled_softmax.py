"""Softmax over a sample of the catalogue, corrected for its sampling probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys._tf import tf
from recsys.interactions import Interactions
from recsys.towers.draws import Draws
from recsys.towers.losses.api import Loss, LossInput
from recsys.towers.losses.configs import InBatchSoftmax, SampledSoftmax
from recsys.towers.losses.masks import NegativeMask
from recsys.towers.losses.softmax import log_sum_exp


class SampledSoftmaxLoss(Loss):
    """The full softmax, its sum estimated from a set C of distinct candidates.

        L = -log( e^l(v+) / (e^l(v+) + sum over v in C, v not v+, of e^l(v)) )
        l(v) = q . v / temperature - log Q(v)

    C holds the p positives of the batch (Yi et al., RecSys 2019), n uniform draws, or both (mixed
    negatives, Yang et al., WWW 2020). Q(v) is the probability that v is in C,

        Q(v) = 1 - (1 - count(v) / counts)^p (1 - 1 / items)^n

    so that the sum is, in expectation, that of the full softmax. An item is in C once, however
    often it was drawn: the usual expected number of copies in place of Q is right only while copies
    are rare, and underestimates popular items where the copies of the positive are removed as
    accidental hits.

    ``correction = "negatives"`` leaves the positive uncorrected, which is present with certainty
    (Khrylchenko et al., "Correcting the LogQ correction", RecSys 2025). ``all`` corrects it too, as
    in Yi et al.: the model then identifies the true member of C (Jean et al. 2015); exact for small
    samples, and the same for large ones. ``none``: in-batch negatives then train how much more
    likely than usual an item is, so that rare items rank higher.
    """

    def __init__(self, config: InBatchSoftmax | SampledSoftmax, log: Interactions) -> None:
        self._temperature, self._correction = config.temperature, config.correction
        self._mask = NegativeMask(config.mask, log)
        self._in_batch, self._uniform = True, 0
        if isinstance(config, SampledSoftmax):
            self._in_batch, self._uniform = config.in_batch == "all", config.negatives
        warm = np.flatnonzero(log.warm)
        self._warm = tf.constant(warm, tf.int32)
        # log(1 - share), finite even if the log holds one item alone: no product is 0 x infinity.
        share = np.minimum(log.item_counts / max(int(log.item_counts.sum()), 1), 1 - 1e-7)
        self._log_not_positive = tf.constant(np.log1p(-share), tf.float32)
        self._log_not_drawn = float(np.log1p(-min(1 / max(len(warm), 1), 1 - 1e-7)))

    def candidates(self, positives: Any, draws: Draws) -> Any:
        drawn = draws.integers(self._uniform, below=self._warm.shape[0])
        parts = [*([positives] if self._in_batch else []), tf.gather(self._warm, drawn)]
        return tf.unique(tf.concat(parts, axis=0)).y

    def compute(self, inputs: LossInput) -> Any:
        positive, bias = inputs.positive_scores() / self._temperature, None
        if self._correction != "none":
            bias = -self._log_q(inputs, inputs.candidates)
        if self._correction == "all":
            positive -= self._log_q(inputs, inputs.positives)
        negatives = log_sum_exp(
            inputs.queries / self._temperature,
            inputs.candidate_vectors,
            masked=self._mask.excluded(inputs, targets=True),
            bias=bias,
        )
        # -log( e^positive / (e^positive + e^negatives) )
        return inputs.weighted_mean(tf.nn.softplus(negatives - positive))

    def _log_q(self, inputs: LossInput, rows: Any) -> Any:
        """log Q of each of ``rows``."""
        batch = tf.cast(tf.size(inputs.positives), tf.float32) if self._in_batch else 0.0
        log_missed = batch * tf.gather(self._log_not_positive, rows)
        log_missed += self._uniform * self._log_not_drawn
        return tf.math.log(-tf.math.expm1(log_missed))
