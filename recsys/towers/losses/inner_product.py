"""The plain inner-product loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys._tf import tf
from recsys.interactions import Interactions
from recsys.towers.losses.api import Loss, Positions
from recsys.towers.losses.configs import InnerProduct
from recsys.towers.losses.masks import Mask


class InnerProductLoss(Loss):
    """L = -q . v+ + w mean of q . v over uniform negatives v, 0 for a query without any.

    The simplest loss, and linear: each item is pulled towards the mean of its queries and pushed
    away from the mean of all, so that hard negatives count no more than easy ones. Unit vectors
    bound it. A baseline for the other losses.

    The negatives are warm items drawn uniformly in each step and shared by the batch, so that
    scoring them is one matrix product. A copy counts once.
    """

    def __init__(self, config: InnerProduct, log: Interactions) -> None:
        self._negatives, self._weight = config.negatives, config.negative_weight
        self._mask = Mask(config.mask, log)
        self._warm = tf.constant(np.flatnonzero(log.warm), tf.int32)

    def candidates(self, positives: Any) -> Any:
        drawn = tf.random.uniform((self._negatives,), maxval=tf.size(self._warm), dtype=tf.int32)
        return tf.unique(tf.gather(self._warm, drawn)).y

    def compute(self, positions: Positions) -> Any:
        counts = tf.cast(~self._mask.accidental(positions), tf.float32)
        sums = tf.reduce_sum(positions.scores() * counts, axis=1)
        negatives = tf.math.divide_no_nan(sums, tf.reduce_sum(counts, axis=1))
        return positions.mean(self._weight * negatives - positions.own_scores())
