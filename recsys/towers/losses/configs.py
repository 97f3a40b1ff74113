"""Configurations of the losses.

Scores are s = q . v / temperature, with q and v of length 1; a loss without ``temperature`` reads
the cosine.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from recsys.config import Config

Mask = Literal["target", "history", "user"]
"""Candidates that are no negatives of a query.

``target``: its own target. ``history``: also the items of its history; helps where evaluation and
serving leave the history out, and hurts where users return to items. ``user``: also all other items
of the user in training, before and after; helps where order means nothing, and keeps a model of
order from learning that some items come later.
"""
Correction = Literal["all", "negatives", "none"]
"""Scores that are corrected by log Q; see ``recsys.towers.losses.sampled_softmax``."""


class _Scaled(Config):
    """Base of the losses whose scores are divided by a temperature."""

    temperature: float = Field(0.05, ge=1e-3, le=10)


class _Sampled(Config):
    """Base of the losses that draw negatives."""

    negatives: int = Field(1024, ge=1, le=1_000_000)
    mask: Mask = "target"


class FullSoftmax(_Scaled):
    """Cross-entropy over every warm item.

    Attributes:
        temperature: Divisor of the cosine.
        mask: Candidates that are no negatives.
    """

    name: Literal["full-softmax"] = "full-softmax"
    mask: Mask = "target"


class InBatchSoftmax(_Scaled):
    """Cross-entropy over the positives of the batch, corrected by log Q (Yi et al. 2019).

    Attributes:
        temperature: Divisor of the cosine.
        correction: Scores that are corrected.
        mask: Candidates that are no negatives.
    """

    name: Literal["in-batch-softmax"] = "in-batch-softmax"
    correction: Correction = "negatives"
    mask: Mask = "target"


class SampledSoftmax(_Scaled, _Sampled):
    """Cross-entropy over in-batch and uniform negatives, corrected by log Q (Yang et al. 2020).

    Attributes:
        temperature: Divisor of the cosine.
        negatives: Number of warm items drawn uniformly per step and shared by the batch.
        in_batch: Whether the batch's positives are negatives of each other's queries: ``all``
            (mixed negatives) or ``none`` (uniform negatives alone).
        correction: Scores that are corrected.
        mask: Candidates that are no negatives.
    """

    name: Literal["sampled-softmax"] = "sampled-softmax"
    in_batch: Literal["all", "none"] = "all"
    correction: Correction = "negatives"


class InnerProduct(_Sampled):
    """The plain inner product: raised for true pairs, lowered for random ones.

    Attributes:
        negatives: Number of warm items drawn uniformly per step and shared by the batch.
        negative_weight: Weight of the random pairs' mean relative to the true pair.
        mask: Candidates that are no negatives.
    """

    name: Literal["inner-product"] = "inner-product"
    negative_weight: float = Field(1.0, gt=0, le=1e6)


class SetSoftmax(Config):
    """Cross-entropy over every warm item, with one query per user and all their items as positives.

    For logs without an order. Scores per step are users x items, not interactions x items.

    Attributes:
        temperature: Divisor of the cosine.
        counts: Whether all ``users`` (the weights of a user's items sum to 1) or all
            ``interactions`` count alike.
        history_dropout: Share of a user's items hidden from the query tower in a step; all of them
            remain positives (denoising, as in Mult-DAE, Liang et al. 2018).
    """

    name: Literal["set-softmax"] = "set-softmax"
    temperature: float = Field(0.1, gt=0, le=10)
    counts: Literal["users", "interactions"] = "users"
    history_dropout: float = Field(0.5, ge=0, lt=1)


PositionLossConfig = FullSoftmax | InBatchSoftmax | SampledSoftmax | InnerProduct
"""Losses with one query per position of a history and the next item as its positive."""
LossConfig = Annotated[PositionLossConfig | SetSoftmax, Field(discriminator="name")]
