"""The loss that a configuration names.

A loss states which items it needs in addition to the positives (:meth:`Loss.candidates`) and
computes its value from their vectors (:meth:`Loss.compute`), which the model provides.
"""

from __future__ import annotations

from recsys.interactions import Interactions
from recsys.towers.losses.api import Loss, LossInput
from recsys.towers.losses.configs import (
    FullSoftmax,
    InBatchSoftmax,
    InnerProduct,
    PositionLossConfig,
    SampledSoftmax,
)
from recsys.towers.losses.full_softmax import FullSoftmaxLoss
from recsys.towers.losses.inner_product import InnerProductLoss
from recsys.towers.losses.sampled_softmax import SampledSoftmaxLoss

__all__ = ["Loss", "LossInput", "build_loss"]


def build_loss(config: PositionLossConfig, log: Interactions) -> Loss:
    """The loss that ``config`` names, over a training log."""
    match config:
        case FullSoftmax():
            return FullSoftmaxLoss(config, log)
        case InBatchSoftmax() | SampledSoftmax():
            return SampledSoftmaxLoss(config, log)
        case InnerProduct():
            return InnerProductLoss(config, log)
