"""Softmax over the whole catalogue."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys._tf import tf
from recsys.interactions import Interactions
from recsys.towers.draws import Draws
from recsys.towers.losses.api import Loss, LossInput
from recsys.towers.losses.configs import FullSoftmax
from recsys.towers.losses.masks import NegativeMask
from recsys.towers.losses.softmax import log_sum_exp


class FullSoftmaxLoss(Loss):
    """L = -log( e^s(q, v+) / sum over warm items v of e^s(q, v) ), s = q . v / temperature.

    Cost grows with the catalogue. Masked items leave the sum.
    """

    def __init__(self, config: FullSoftmax, log: Interactions) -> None:
        self._temperature = config.temperature
        self._warm = tf.constant(np.flatnonzero(log.warm), tf.int32)
        self._mask = None if config.mask == "target" else NegativeMask(config.mask, log)

    def candidates(self, positives: Any, draws: Draws) -> Any:
        return self._warm

    def compute(self, inputs: LossInput) -> Any:
        # The positive is warm and thus one of the candidates: the sum holds it already.
        masked = None if self._mask is None else self._mask.excluded(inputs, targets=False)
        queries = inputs.queries / self._temperature
        totals = log_sum_exp(queries, inputs.candidate_vectors, masked=masked)
        return inputs.weighted_mean(totals - inputs.positive_scores() / self._temperature)
