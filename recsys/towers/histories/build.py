"""The history encoder that a configuration names.

Every encoder reads item vectors ``[b, t, d]``, oldest first, padded at the end, and returns states
``[b, t + 1, d]``: state j encodes the first j items, state 0 an empty history. No state depends on
a later item, so that one pass trains every position of a history, and padding has no effect.
``tests/contracts/history_contract.py`` is their contract.
"""

from __future__ import annotations

from typing import Any

from recsys.towers.config import TowersConfig
from recsys.towers.histories.configs import (
    HstuHistory,
    MeanHistory,
    NoHistory,
)
from recsys.towers.histories.hstu import Hstu
from recsys.towers.histories.mean import Mean
from recsys.towers.histories.none import Start
from recsys.towers.histories.times import Times
from recsys.towers.histories.transformer import Transformer
from recsys.towers.model.initializers import short

__all__ = ["Times", "build_history_encoder"]


def build_history_encoder(config: TowersConfig) -> Any:
    """A layer ``encoder(vectors, times=None, draws=None)``, with :class:`Times` or None."""
    history, dimension = config.history, config.dimension
    if isinstance(history, NoHistory):
        return Start(dimension, "zeros" if config.initial == "identity" else short())
    if isinstance(history, MeanHistory):
        return Mean(history, dimension)
    if isinstance(history, HstuHistory):
        return Hstu(history, dimension)
    return Transformer(history, dimension)
