"""Losses: how a batch of query vectors is held against its taken items and what was not taken.

Each loss says which items it needs beside the positives (:meth:`Loss.candidates`) and computes
itself from vectors (:meth:`Loss.compute`); the model between them runs the item tower on just
these. :func:`build_loss` is the door; there is one module a loss.
"""

from __future__ import annotations

from recsys.interactions import Interactions
from recsys.towers.losses.api import Loss, Positions
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

__all__ = ["Loss", "Positions", "build_loss"]


def build_loss(config: PositionLossConfig, log: Interactions) -> Loss:
    """The loss that ``config`` names.

    Args:
        config: Its name and settings.
        log: What training learns from: which items are warm, how often each is met, by whom.
    """
    match config:
        case FullSoftmax():
            return FullSoftmaxLoss(config, log)
        case InBatchSoftmax() | SampledSoftmax():
            return SampledSoftmaxLoss(config, log)
        case InnerProduct():
            return InnerProductLoss(config, log)
