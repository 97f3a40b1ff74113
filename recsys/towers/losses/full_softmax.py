"""Softmax over the whole catalogue."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys._tf import tf
from recsys.interactions import Interactions
from recsys.towers.losses.api import Loss, Positions
from recsys.towers.losses.configs import FullSoftmax
from recsys.towers.losses.masks import Mask, met_before
from recsys.towers.losses.softmax import cross_entropy, log_sum_exp_of_products


class FullSoftmaxLoss(Loss):
    """L = -log( e^s(q, v+) / sum over warm items v of e^s(q, v) ), s = q . v / temperature.

    Cost grows with the catalogue. Masked items leave the sum.
    """

    def __init__(self, config: FullSoftmax, log: Interactions) -> None:
        self._config = config
        self._warm = tf.constant(np.flatnonzero(log.warm), tf.int32)
        self._mask = Mask(config.mask, log)

    def candidates(self, positives: Any) -> Any:
        return self._warm

    def compute(self, positions: Positions) -> Any:
        own = positions.own_scores() / self._config.temperature
        if self._config.mask != "user":
            # The positive, being warm, is among the candidates: the sum is whole as it stands.
            queries = positions.queries / self._config.temperature
            never = met_before(positions) if self._config.mask == "history" else None
            losses = log_sum_exp_of_products(queries, positions.candidate_vectors, never) - own
        else:
            scores = positions.scores(self._config.temperature)
            losses = cross_entropy(own, self._mask.hide(scores, positions))
        return positions.mean(losses)
