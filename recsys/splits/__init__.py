"""Splits: what a model may learn from, and the queries with known answers that judge it.

A split is made once, by a protocol with a name, and states in words and counts what it did. It
neither trains nor scores.
"""

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
