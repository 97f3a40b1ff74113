"""How the query tower may read a history."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from recsys.config import Config


class MeanHistory(Config):
    """A history is the mean of its items' vectors, weighted by age, then a trained linear map.

    Attributes:
        window: How many of a history's last items are read.
    """

    name: Literal["mean"] = "mean"
    window: int = Field(50, ge=1, le=4096)


class TransformerHistory(Config):
    """A causal transformer over the items' vectors (SASRec, Kang & McAuley 2018), pre-norm.

    Attributes:
        window: How many of a history's last items are read.
        blocks: Self-attention blocks.
        heads: Attention heads a block; they divide the dimension.
        expansion: Hidden width of the feed-forward part, as a multiple of the dimension.
        dropout: Share of activations dropped in training.
    """

    name: Literal["transformer"] = "transformer"
    window: int = Field(50, ge=1, le=4096)
    blocks: int = Field(2, ge=1, le=24)
    heads: int = Field(2, ge=1, le=64)
    expansion: int = Field(4, ge=1, le=16)
    dropout: float = Field(0.2, ge=0, lt=1)


class NoHistory(Config):
    """No history is read: a trained start vector stands where its state would be.

    What then tells queries apart is the terms, the user or the context; each interaction is a
    training example by itself.
    """

    name: Literal["none"] = "none"
    window: ClassVar[int] = 0


HistoryConfig = Annotated[MeanHistory | TransformerHistory | NoHistory, Field(discriminator="name")]
