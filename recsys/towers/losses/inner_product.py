"""The plain inner-product loss."""

from __future__ import annotations

from typing import Any

from recsys.interactions import Interactions
from recsys.towers.losses.configs import InnerProduct
from recsys.towers.losses.uniform import Pairs, UniformLoss


class InnerProductLoss(UniformLoss):
    """L = -q . v+ + w mean over random v of q . v: true pairs up, random pairs down.

    The simplest loss there is, and linear: each item is pulled towards the mean of its queries and
    pushed from the mean of all, and nothing tells a hard negative from an easy one. A floor to
    compare the others with; vectors of length 1 keep it from running away.
    """

    def __init__(self, config: InnerProduct, log: Interactions) -> None:
        super().__init__(config, log)
        self._weight = config.negative_weight

    def losses(self, pairs: Pairs) -> Any:
        return self._weight * pairs.mean(pairs.others) - pairs.own
