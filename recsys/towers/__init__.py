"""Two-tower models: configurations, training, and trained towers.

Configurations and :class:`QueryBatch` load without TensorFlow; the rest loads it on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recsys.towers.config import MemberConfig, TowersConfig, TrainConfig
from recsys.towers.ensemble.distillation.config import Distillation, ItemFilterConfig
from recsys.towers.histories.configs import (
    HstuHistory,
    MeanHistory,
    NoHistory,
    TransformerHistory,
)
from recsys.towers.losses.configs import (
    FullSoftmax,
    InBatchSoftmax,
    InnerProduct,
    LossConfig,
    SampledSoftmax,
    SetSoftmax,
)
from recsys.towers.query import QueryBatch

if TYPE_CHECKING:
    from recsys.towers.ensemble.joined import AnyTowers, JoinedTowers, load_towers
    from recsys.towers.towers import Towers
    from recsys.towers.training.fitting import FitResult, fit

__all__ = [
    "AnyTowers",
    "Distillation",
    "FitResult",
    "FullSoftmax",
    "HstuHistory",
    "InBatchSoftmax",
    "InnerProduct",
    "ItemFilterConfig",
    "JoinedTowers",
    "LossConfig",
    "MeanHistory",
    "MemberConfig",
    "NoHistory",
    "QueryBatch",
    "SampledSoftmax",
    "SetSoftmax",
    "Towers",
    "TowersConfig",
    "TrainConfig",
    "TransformerHistory",
    "fit",
    "load_towers",
]

_LAZY = {
    "Towers": "recsys.towers.towers",
    "AnyTowers": "recsys.towers.ensemble.joined",
    "JoinedTowers": "recsys.towers.ensemble.joined",
    "load_towers": "recsys.towers.ensemble.joined",
    "FitResult": "recsys.towers.training.fitting",
    "fit": "recsys.towers.training.fitting",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
