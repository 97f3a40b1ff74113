"""Splits of a log by a named protocol: interactions to train on, and held-out queries."""

from __future__ import annotations

from recsys.splits.config import (
    ColdItemsConfig,
    FixedConfig,
    GlobalTimeConfig,
    LeaveLastOutConfig,
    SplitConfig,
)
from recsys.splits.fixed import split_fixed
from recsys.splits.held_out import HeldOutQueries
from recsys.splits.parts import Split
from recsys.splits.protocols import split

__all__ = [
    "ColdItemsConfig",
    "FixedConfig",
    "GlobalTimeConfig",
    "HeldOutQueries",
    "LeaveLastOutConfig",
    "Split",
    "SplitConfig",
    "split",
    "split_fixed",
]
