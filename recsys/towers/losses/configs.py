"""The losses that the towers may be trained by.

Scores are s = q . v / temperature, with q and v of length 1; a loss without ``temperature`` reads
the cosine itself. The formulas are in ``recsys.towers.losses``, one module a loss.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

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


class HardNegatives(Config):
    """What the towers rank highest though it was not taken joins the negatives of the batch.

    An index of the warm items' vectors is made as an epoch begins, and asked for some of each
    batch's queries. See ``recsys.towers.training.mining``.

    Attributes:
        each: Items that each query asked brings.
        queries: Queries of a batch that are asked, evenly spread over it.
        skip: Best items passed over: the very best are often what the user would have taken.
        after: Epochs before the first; what untrained towers rank high is nothing special.
        every: Epochs between two indexes.
    """

    each: int = Field(4, ge=1, le=1000)
    queries: int = Field(128, ge=1, le=65_536)
    skip: int = Field(0, ge=0, le=1000)
    after: int = Field(1, ge=0)
    every: int = Field(1, ge=1)


class _Sampled(Config):
    """Negatives are drawn.

    Attributes:
        negatives: Warm items drawn uniformly each step, shared by the batch; drawn twice, an item
            counts once.
        hard: Hard negatives beside these, or None.
        mask: What never counts as a negative.
    """

    negatives: int = Field(1024, ge=1, le=1_000_000)
    hard: HardNegatives | None = None
    mask: Mask = "target"


class FullSoftmax(_Scaled):
    """Cross-entropy over every warm item.

    Attributes:
        smoothing: Share of the target that is spread over all warm items (Szegedy et al. 2016).
        mask: What never counts as a negative.
    """

    name: Literal["full-softmax"] = "full-softmax"
    smoothing: float = Field(0.0, ge=0, lt=1)
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
        smoothing: Share of the target that is spread over all warm items; their mean score is
            estimated from the candidates.
    """

    name: Literal["sampled-softmax"] = "sampled-softmax"
    in_batch: Literal["all", "none"] = "all"
    correction: Correction = "negatives"
    smoothing: float = Field(0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _hard_ones_are_not_drawn(self) -> SampledSoftmax:
        if self.hard is not None and self.correction == "all":
            raise ValueError(
                "correction = 'all' supposes that every candidate was drawn, and hard negatives"
                " are looked for: set correction = 'negatives'"
            )
        return self


class GBCE(_Scaled, _Sampled):
    """Generalised binary cross-entropy (gSASRec, Petrov & Macdonald 2023).

    Attributes:
        calibration: The paper's t. 0 is binary cross-entropy, whose probabilities are too high
            where negatives are sampled; 1 makes them those of the full catalogue.
        bias: Log-odds of a cosine of 0: ``prior``, those of a positive among its negatives;
            ``none``, even ones, as the paper's inner products without a bound can bear.
    """

    name: Literal["gbce"] = "gbce"
    negatives: int = Field(256, ge=1, le=1_000_000)
    calibration: float = Field(0.75, ge=0, le=1)
    bias: Literal["prior", "none"] = "prior"


class BPR(_Scaled, _Sampled):
    """Bayesian personalised ranking (Rendle et al. 2009), several negatives a pair."""

    name: Literal["bpr"] = "bpr"
    negatives: int = Field(256, ge=1, le=1_000_000)


class CCL(_Sampled):
    """Cosine contrastive loss (SimpleX, Mao et al. 2021).

    Attributes:
        margin: Cosine up to which a negative costs nothing. The paper chose it for each data set,
            0.9 for some; from 0.4 towers learned sooner wherever both were tried.
        negative_weight: Weight of the negatives' mean beside the positive.
    """

    name: Literal["ccl"] = "ccl"
    margin: float = Field(0.4, ge=-1, lt=1)
    negative_weight: float = Field(150.0, gt=0, le=1e6)


class DirectAU(Config):
    """Alignment and uniformity (Wang et al. 2022); it needs no negatives.

    Attributes:
        gamma: Weight of uniformity beside alignment.
        positions: Positions of a batch, drawn anew each step, whose distances from one another
            are measured; the cost is quadratic in them.
    """

    name: Literal["direct-au"] = "direct-au"
    gamma: float = Field(1.0, gt=0, le=1000)
    positions: int = Field(2048, ge=2, le=65_536)


class InnerProduct(_Sampled):
    """The plain inner product: raised for true pairs, lowered for random ones.

    Attributes:
        negative_weight: Weight of the random pairs' mean beside the true pair.
    """

    name: Literal["inner-product"] = "inner-product"
    negative_weight: float = Field(1.0, gt=0, le=1e6)


PositionLossConfig = (
    FullSoftmax | InBatchSoftmax | SampledSoftmax | GBCE | BPR | CCL | DirectAU | InnerProduct
)
"""Losses of positions: one query each, with what came next."""
LossConfig = Annotated[PositionLossConfig | SetSoftmax, Field(discriminator="name")]
