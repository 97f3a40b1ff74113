"""How the query tower may read a history."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from recsys.config import Config
from recsys.errors import ConfigError
from recsys.interactions import Interactions


class MeanHistory(Config):
    """A history is the mean of its items' vectors, then a trained linear map.

    Attributes:
        window: How many of a history's last items are read.
        ages: Whether items weigh by their age, which is trained, or all alike (the average
            pooling of SimpleX, Mao et al., CIKM 2021): for sets that have no order.

    Example:
        >>> MeanHistory(ages="equal").window
        50
    """

    name: Literal["mean"] = "mean"
    window: int = Field(50, ge=1, le=4096)
    ages: Literal["trained", "equal"] = "trained"
    reads_times: ClassVar[bool] = False


class TransformerHistory(Config):
    """A causal transformer over the items' vectors (SASRec, Kang & McAuley, ICDM 2018).

    Attributes:
        window: How many of a history's last items are read.
        blocks: Self-attention blocks.
        heads: Attention heads a block; they divide the dimension.
        expansion: Hidden width of the feed-forward part, as a multiple of the dimension.
        norm: Whether a part of a block reads what is normalised (``pre``), or what it gives is
            normalised (``post``, as SASRec was published).
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
        window: How many of a history's last items are read.
        blocks: Units, one on another.
        heads: Attention heads a unit; they divide the dimension.
        dropout: Share of activations dropped in training.
        time_bias: Whether attention also depends on how long before an item another was met, in
            buckets that grow as the logarithm of the seconds. The log must have timestamps.
        time_dropout: Share of histories read without their times in training, so that the same
            tower answers for those whose times are not known.

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
        """Whether the moments of a history's items make a difference."""
        return self.time_bias != "none"


class NoHistory(Config):
    """No history is read: a trained start vector stands where its state would be.

    What then tells queries apart is the terms, the user or the context; each interaction is a
    training example by itself.

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
    """Refuse what the towers' sizes or the log cannot serve.

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
            "positions within a user: give the column of the timestamps, or set time_bias = 'none'",
            field="towers.history.time_bias",
        )
