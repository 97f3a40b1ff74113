"""How a user's own vector and the state of the history meet."""

from __future__ import annotations

import math
from typing import Any

from recsys._tf import tf, tf_keras
from recsys.towers.config import TowersConfig


class UserMix(tf_keras.layers.Layer):  # type: ignore[misc]
    """h + k U[u], or (1 - k g) h + k g U[u]; k is 1 where the user is known and 0 where not.

    The second is SimpleX's aggregation (Mao et al. 2021, eq. 3, there with g in front of the
    user): however long the vectors of users grow, the history keeps its share. An unknown user is
    asked for by the history alone, in both. Under ``trained-share`` g is the sigmoid of a trained
    number.

    Args:
        config: Names the way, and g.
    """

    def __init__(self, config: TowersConfig) -> None:
        super().__init__(name="user_mix")
        self._way, self._share = config.user_mix, config.user_share
        self._logit = None
        if self._way == "trained-share":
            begin = tf_keras.initializers.Constant(math.log(self._share / (1 - self._share)))
            self._logit = self.add_weight(name="share", shape=(), initializer=begin)

    def call(self, state: Any, user: Any, known: Any) -> Any:
        """``[n, d]`` from ``state`` and ``user`` ``[n, d]`` and ``known`` ``[n]``."""
        if self._way == "sum":
            return state + known[:, None] * user
        share = self._share if self._logit is None else tf.sigmoid(self._logit)
        weight = share * known[:, None]
        return (1.0 - weight) * state + weight * user
