"""The losses that the towers may be trained by.

Scores are s = q . v / temperature, with q and v of length 1; a loss without ``temperature`` reads
the cosine itself. The formulas are in ``recsys.towers.losses``, one module a loss.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from recsys.config import Config
from recsys.towers.losses.set_config import SetSoftmax

Mask = Literal["target", "history", "user"]
"""What never counts as a negative of a query, beside what the batch's other queries think of it.

``target``: its own target. ``history``: also what the history holds before that moment; helps
where evaluation and serving leave the history out anyway, and hurts where items are met again.
``user``: also all else that the user met in training, before and after; helps where order means
nothing (Gowalla), and takes from a model of order what it should learn: that some come later.
"""
Correction = Literal["all", "negatives", "none"]
"""Which scores are corrected by log Q; see ``recsys.towers.losses.sampled_softmax``."""


class _Scaled(Config):
    """Scores are divided by a temperature.

    Attributes:
        temperature: Divides the cosine.
    """

    temperature: float = Field(0.05, ge=1e-3, le=10)


class _Sampled(Config):
    """Negatives are drawn.

    Attributes:
        negatives: Warm items drawn uniformly each step, shared by the batch; drawn twice, an item
            counts once.
        mask: What never counts as a negative.
    """

    negatives: int = Field(1024, ge=1, le=1_000_000)
    mask: Mask = "target"


class FullSoftmax(_Scaled):
    """Cross-entropy over every warm item.

    Attributes:
        mask: What never counts as a negative.
    """

    name: Literal["full-softmax"] = "full-softmax"
    mask: Mask = "target"


class InBatchSoftmax(_Scaled):
    """Cross-entropy over the positives of the batch, corrected by logQ (Yi et al. 2019).

    Attributes:
        correction: Which scores are corrected.
        mask: What never counts as a negative.
    """

    name: Literal["in-batch-softmax"] = "in-batch-softmax"
    correction: Correction = "negatives"
    mask: Mask = "target"


class SampledSoftmax(_Scaled, _Sampled):
    """Cross-entropy over in-batch and uniform negatives, corrected (Yang et al. 2020).

    Attributes:
        in_batch: Whether the positives of the batch are negatives of each other's queries:
            ``all`` (mixed negatives) or ``none`` (uniform ones alone).
        correction: Which scores are corrected.
    """

    name: Literal["sampled-softmax"] = "sampled-softmax"
    in_batch: Literal["all", "none"] = "all"
    correction: Correction = "negatives"


class InnerProduct(_Sampled):
    """The plain inner product: raised for true pairs, lowered for random ones.

    Attributes:
        negative_weight: Weight of the random pairs' mean beside the true pair.
    """

    name: Literal["inner-product"] = "inner-product"
    negative_weight: float = Field(1.0, gt=0, le=1e6)


PositionLossConfig = FullSoftmax | InBatchSoftmax | SampledSoftmax | InnerProduct
"""Losses of positions: one query each, with what came next."""
LossConfig = Annotated[PositionLossConfig | SetSoftmax, Field(discriminator="name")]
