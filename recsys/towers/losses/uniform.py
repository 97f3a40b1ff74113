"""What the losses over uniform negatives share: the draw, the mask, the scores of each pair."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys._tf import tf
from recsys.interactions import Interactions
from recsys.towers.losses.api import Loss, Positions
from recsys.towers.losses.configs import BPR, CCL, GBCE, InnerProduct
from recsys.towers.losses.masks import Mask


@dataclass(frozen=True, eq=False)
class Pairs:
    """Inner products of p queries with their positive and with c negatives.

    Attributes:
        own: ``[p]``.
        others: ``[p, c]``.
        counts: 1 where the candidate is a negative of the query, 0 where it is none, ``[p, c]``.
    """

    own: Any
    others: Any
    counts: Any

    @property
    def number(self) -> Any:
        """How many negatives each query has, float ``[p]``."""
        return tf.reduce_sum(self.counts, axis=1)

    def sum(self, costs: Any) -> Any:
        """The sum of ``costs`` ``[p, c]`` over each query's negatives, ``[p]``."""
        return tf.reduce_sum(costs * self.counts, axis=1)

    def mean(self, costs: Any) -> Any:
        """Their mean; 0 where there is no negative."""
        return tf.math.divide_no_nan(self.sum(costs), self.number)


class UniformLoss(Loss):
    """Each query against its positive and warm items drawn uniformly, shared by the batch.

    Shared negatives make one matrix product of what would be a gather of p times n vectors; each
    step draws them anew. A drawn item counts once, so that few items are never many negatives.
    Mined rows are mixed in without a correction: these losses are no estimate of a sum over the
    catalogue, so there is nothing to correct; what changes is which order they care for.
    """

    def __init__(self, config: GBCE | BPR | CCL | InnerProduct, log: Interactions) -> None:
        self._negatives = config.negatives
        self._mask = Mask(config.mask, log)
        self._warm = tf.constant(np.flatnonzero(log.warm), tf.int32)

    def candidates(self, positives: Any, mined: Any) -> Any:
        drawn = tf.random.uniform((self._negatives,), maxval=tf.size(self._warm), dtype=tf.int32)
        return tf.unique(tf.concat([mined, tf.gather(self._warm, drawn)], axis=0)).y

    def compute(self, positions: Positions) -> Any:
        counts = tf.cast(~self._mask.accidental(positions), tf.float32)
        pairs = Pairs(positions.own_scores(), positions.scores(), counts)
        return positions.mean(self.losses(pairs))

    @abstractmethod
    def losses(self, pairs: Pairs) -> Any:
        """One loss a query, ``[p]``."""
