"""Cosine contrastive loss."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf
from recsys.interactions import Interactions
from recsys.towers.losses.configs import CCL
from recsys.towers.losses.uniform import Pairs, UniformLoss


class CCLLoss(UniformLoss):
    """CCL (SimpleX, Mao et al., CIKM 2021, eq. 1), c = q . v.

        L = (1 - c+) + w / k sum over k negatives of max(0, c- - m)

    Negatives below the margin m cost nothing, so that of many the few hard ones are learned from:
    it wants hundreds of negatives and a large weight w.
    """

    def __init__(self, config: CCL, log: Interactions) -> None:
        super().__init__(config, log)
        self._margin, self._weight = config.margin, config.negative_weight

    def losses(self, pairs: Pairs) -> Any:
        hinges = tf.nn.relu(pairs.others - self._margin)
        return (1 - pairs.own) + self._weight * pairs.mean(hinges)
