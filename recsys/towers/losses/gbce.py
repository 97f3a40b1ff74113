"""Generalised binary cross-entropy."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf
from recsys.interactions import Interactions
from recsys.towers.loss_configs import GBCE
from recsys.towers.losses.uniform import Pairs, UniformLoss


class GBCELoss(UniformLoss):
    """gBCE of gSASRec (Petrov & Macdonald, RecSys 2023, eqs. 9 and 16), s = q . v / temperature.

        L = -( log sigmoid(s+)^beta + sum over k negatives of log(1 - sigmoid(s-)) ) / (k + 1)
        beta = a (t (1 - 1/a) + 1/a) = 1 - t (1 - a),    a = k / (items - 1)

    Of all negatives a share a is seen, so that plain binary cross-entropy (beta = 1) takes
    everything for likelier than it is; beta = a undoes that exactly, t goes between the two. k is
    what each query really has, after masks. The paper draws negatives for each position; here the
    batch shares them, which is one matrix product. With mined rows the calibration is not exact.
    """

    def __init__(self, config: GBCE, log: Interactions) -> None:
        super().__init__(config, log)
        self._temperature, self._t = config.temperature, config.calibration
        self._others = max(int(log.warm.sum()) - 1, 1)

    def losses(self, pairs: Pairs) -> Any:
        share = pairs.number / self._others
        beta = 1 - self._t * (1 - share)
        own = beta * tf.nn.softplus(-pairs.own / self._temperature)
        others = pairs.sum(tf.nn.softplus(pairs.others / self._temperature))
        return (own + others) / (pairs.number + 1)
