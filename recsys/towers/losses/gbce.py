"""Generalised binary cross-entropy."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf
from recsys.interactions import Interactions
from recsys.towers.losses.configs import GBCE
from recsys.towers.losses.uniform import Pairs, UniformLoss


class GBCELoss(UniformLoss):
    """gBCE of gSASRec (Petrov & Macdonald, RecSys 2023, eqs. 9 and 16).

        L = -( log sigmoid(s+)^beta + sum over k negatives of log(1 - sigmoid(s-)) ) / (k + 1)
        beta = a (t (1 - 1/a) + 1/a) = 1 - t (1 - a),    a = k / (items - 1)
        s = q . v / temperature + b

    Of all negatives a share a is seen, so that plain binary cross-entropy (beta = 1) takes
    everything for likelier than it is; beta = a undoes that exactly, t goes between the two. k is
    what each query really has, after masks. The paper draws negatives for each position; here the
    batch shares them, which is one matrix product. With mined rows the calibration is not exact.

    With b = 0, a cosine of 0 calls each item as likely as not. Nearly all being unlikely is then
    the first thing to learn, and vectors that all turn their backs on all queries learn it.
    ``bias = "prior"`` begins where it is known (Zhai et al., ICCV 2023, there as a first value):
    b = log(beta / k), at which scores that are all alike have the least loss.
    """

    def __init__(self, config: GBCE, log: Interactions) -> None:
        super().__init__(config, log)
        self._temperature, self._t = config.temperature, config.calibration
        self._bias = config.bias
        self._others = max(int(log.warm.sum()) - 1, 1)

    def losses(self, pairs: Pairs) -> Any:
        share = pairs.number / self._others
        beta = 1 - self._t * (1 - share)
        bias = self._log_odds(beta, pairs.number)
        own = beta * tf.nn.softplus(-pairs.own / self._temperature - bias)
        others = tf.nn.softplus(pairs.others / self._temperature + bias[:, None])
        return (own + pairs.sum(others)) / (pairs.number + 1)

    def _log_odds(self, beta: Any, number: Any) -> Any:
        """b of each query, ``[p]``; 0 for one without negatives, or of which nothing is asked."""
        match self._bias:
            case "prior":
                told = (beta > 0) & (number > 0)
                odds = tf.where(told, beta, 1.0) / tf.where(told, number, 1.0)
                return tf.math.log(odds)
            case "none":
                return tf.zeros_like(number)
