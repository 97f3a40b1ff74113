"""The plain inner-product loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys._tf import tf
from recsys.interactions import Interactions
from recsys.towers.draws import Draws
from recsys.towers.losses.api import Loss, LossInput
from recsys.towers.losses.configs import InnerProduct
from recsys.towers.losses.masks import NegativeMask


class InnerProductLoss(Loss):
    """L = -q . v+ + w mean of q . v over uniform negatives v; the mean of no negatives is 0.

    The simplest loss, and linear: each item is pulled towards the mean of its queries and pushed
    away from the mean of all, so that hard negatives count no more than easy ones. Unit vectors
    bound it. A baseline for the other losses.
    """

    def __init__(self, config: InnerProduct, log: Interactions) -> None:
        self._negatives, self._weight = config.negatives, config.negative_weight
        self._mask = NegativeMask(config.mask, log)
        self._warm = tf.constant(np.flatnonzero(log.warm), tf.int32)

    def candidates(self, positives: Any, draws: Draws) -> Any:
        drawn = draws.integers(self._negatives, below=self._warm.shape[0])
        return tf.unique(tf.gather(self._warm, drawn)).y

    def compute(self, inputs: LossInput) -> Any:
        scores = tf.matmul(inputs.queries, inputs.candidate_vectors, transpose_b=True)
        masked = self._mask.excluded(inputs, targets=True)
        zeros = tf.zeros([tf.shape(masked)[0]])
        counts = tf.tensor_scatter_nd_update(tf.ones_like(scores), masked, zeros)
        negatives = tf.math.divide_no_nan(
            tf.reduce_sum(scores * counts, axis=1), tf.reduce_sum(counts, axis=1)
        )
        return inputs.weighted_mean(self._weight * negatives - inputs.positive_scores())
