"""The two towers: what goes in, what is learned, how, and the result at rest.

Configurations and :class:`QueryBatch` load without TensorFlow; the rest loads it on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recsys.towers.augmentation import Augmentation
from recsys.towers.config import MemberConfig, TowersConfig, TrainConfig
from recsys.towers.distillation.config import Distillation, ItemFilterConfig
from recsys.towers.history_configs import (
    AttentionPoolingHistory,
    HstuHistory,
    MeanHistory,
    NoHistory,
    TransformerHistory,
)
from recsys.towers.loss_configs import (
    BPR,
    CCL,
    GBCE,
    DirectAU,
    FullSoftmax,
    HardNegatives,
    InBatchSoftmax,
    InnerProduct,
    LossConfig,
    SampledSoftmax,
)
from recsys.towers.query import QueryBatch
from recsys.towers.set_config import SetSoftmax

if TYPE_CHECKING:
    from recsys.towers.epochs import Epoch
    from recsys.towers.joined import AnyTowers, JoinedTowers, load_towers
    from recsys.towers.towers import Towers
    from recsys.towers.training import Fitted, fit

__all__ = [
    "BPR",
    "CCL",
    "GBCE",
    "AnyTowers",
    "AttentionPoolingHistory",
    "Augmentation",
    "DirectAU",
    "Distillation",
    "Epoch",
    "Fitted",
    "FullSoftmax",
    "HardNegatives",
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
    "AnyTowers": "recsys.towers.joined",
    "JoinedTowers": "recsys.towers.joined",
    "load_towers": "recsys.towers.joined",
    "Epoch": "recsys.towers.epochs",
    "Fitted": "recsys.towers.training",
    "fit": "recsys.towers.training",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
