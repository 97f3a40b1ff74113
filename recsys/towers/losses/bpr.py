"""Bayesian personalised ranking."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf
from recsys.interactions import Interactions
from recsys.towers.losses.configs import BPR
from recsys.towers.losses.uniform import Pairs, UniformLoss


class BPRLoss(UniformLoss):
    """BPR (Rendle et al., UAI 2009, section 4.1), over several negatives, s = q . v / temperature.

        L = mean over negatives of -log sigmoid(s+ - s-) = mean of softplus(s- - s+)

    A smooth count of the negatives that rank above the positive: the area under the ROC curve,
    which cares for the middle of the ranking as much as for its top.
    """

    def __init__(self, config: BPR, log: Interactions) -> None:
        super().__init__(config, log)
        self._temperature = config.temperature

    def losses(self, pairs: Pairs) -> Any:
        return pairs.mean(tf.nn.softplus((pairs.others - pairs.own[:, None]) / self._temperature))
