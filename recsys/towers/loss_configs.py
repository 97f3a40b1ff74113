"""The losses that the towers may be trained by."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from recsys.config import Config
from recsys.towers.set_config import SetSoftmax


class _Softmax(Config):
    temperature: float = Field(0.05, gt=0, le=10)


class FullSoftmax(_Softmax):
    """Cross-entropy over every warm item."""

    name: Literal["full-softmax"] = "full-softmax"


class InBatchSoftmax(_Softmax):
    """Cross-entropy over the positives of the batch, corrected by logQ (Yi et al. 2019)."""

    name: Literal["in-batch-softmax"] = "in-batch-softmax"


class SampledSoftmax(_Softmax):
    """Cross-entropy over in-batch and uniform negatives, corrected (Yang et al. 2020).

    Attributes:
        negatives: Uniform negatives, drawn anew each step and shared by the batch.
    """

    name: Literal["sampled-softmax"] = "sampled-softmax"
    negatives: int = Field(1024, ge=1)


LossConfig = Annotated[
    FullSoftmax | InBatchSoftmax | SampledSoftmax | SetSoftmax, Field(discriminator="name")
]
