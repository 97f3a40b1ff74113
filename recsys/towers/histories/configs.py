"""Configurations of the history encoders."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from recsys.config import Config
from recsys.errors import ConfigError
from recsys.interactions import Interactions

BUCKETS = 64
"""Number of buckets of the time between two items of a history."""


class MeanHistory(Config):
    """Mean of the item vectors, then a trained projection.

    Attributes:
        window: Number of last items that are read.
        ages: Whether items have a trained weight by age or equal weights, for sets without an
            order (the average pooling of SimpleX, Mao et al., CIKM 2021).

    Example:
        >>> MeanHistory(ages="equal").window
        50
    """

    name: Literal["mean"] = "mean"
    window: int = Field(50, ge=1, le=4096)
    ages: Literal["trained", "equal"] = "trained"
    reads_times: ClassVar[bool] = False


class TransformerHistory(Config):
    """A causal transformer over the item vectors (SASRec, Kang & McAuley, ICDM 2018).

    Attributes:
        window: Number of last items that are read.
        blocks: Number of self-attention blocks.
        heads: Number of attention heads per block; a divisor of the dimension.
        expansion: Hidden width of the feed-forward part, as a multiple of the dimension.
        norm: Whether the input (``pre``) or the output (``post``, as in SASRec) of each part of a
            block is normalised.
        dropout: Share of activations and of attention weights dropped in training.

    Example:
        >>> TransformerHistory(heads=4).norm
        'pre'
    """

    name: Literal["transformer"] = "transformer"
    window: int = Field(50, ge=1, le=4096)
    blocks: int = Field(2, ge=1, le=24)
    heads: int = Field(2, ge=1, le=64)
    expansion: int = Field(4, ge=1, le=16)
    norm: Literal["pre", "post"] = "pre"
    dropout: float = Field(0.2, ge=0, lt=1)
    reads_times: ClassVar[bool] = False


class HstuHistory(Config):
    """Hierarchical sequential transduction units (Zhai et al., ICML 2024).

    Attributes:
        window: Number of last items that are read.
        blocks: Number of units.
        heads: Number of attention heads per unit; a divisor of the dimension.
        dropout: Share of activations dropped in training.
        time_bias: Whether attention also depends on the time between two items, in buckets that
            grow as the logarithm of the seconds. The log must have timestamps.
        time_dropout: Share of histories read without times in training, so that the same tower
            serves histories without times.

    Example:
        >>> HstuHistory(time_bias="log-buckets").reads_times
        True
    """

    name: Literal["hstu"] = "hstu"
    window: int = Field(50, ge=1, le=4096)
    blocks: int = Field(2, ge=1, le=24)
    heads: int = Field(2, ge=1, le=64)
    dropout: float = Field(0.2, ge=0, lt=1)
    time_bias: Literal["none", "log-buckets"] = "none"
    time_dropout: float = Field(0.1, ge=0, lt=1)

    @property
    def reads_times(self) -> bool:
        """Whether the times of a history are read."""
        return self.time_bias != "none"


class NoHistory(Config):
    """No history: every state is a trained start vector.

    Queries then differ by their terms, user or context; each interaction is a training example.

    Example:
        >>> NoHistory().window
        0
    """

    name: Literal["none"] = "none"
    window: ClassVar[int] = 0
    reads_times: ClassVar[bool] = False


HistoryConfig = Annotated[
    MeanHistory | TransformerHistory | HstuHistory | NoHistory,
    Field(discriminator="name"),
]


def check_history(history: HistoryConfig, *, dimension: int, log: Interactions) -> None:
    """Check a history encoder against the towers' dimension and the log.

    Raises:
        ConfigError: The heads do not divide ``dimension``, or times are read and the log has none.
    """
    heads = getattr(history, "heads", 1)
    if dimension % heads:
        raise ConfigError(
            f"towers.dimension {dimension} must be a multiple of towers.history.heads {heads}",
            field="towers.history.heads",
        )
    if history.reads_times and log.clock != "timestamp":
        raise ConfigError(
            "towers.history.time_bias 'log-buckets' needs timestamps, and this log has only "
            "positions within a user: name the column of the timestamps (columns.timestamp), or "
            "set towers.history.time_bias = 'none'",
            field="towers.history.time_bias",
        )
