"""Comparison of encoders on one data set, see ``docs/how-to/choose-an-encoder.md``."""

from __future__ import annotations

from recsys.comparison.config import (
    ComparisonConfig,
    ProbeConfig,
    VariantConfig,
    load_comparison_config,
)
from recsys.comparison.running import Comparison, compare, open_comparison

__all__ = [
    "Comparison",
    "ComparisonConfig",
    "ProbeConfig",
    "VariantConfig",
    "compare",
    "load_comparison_config",
    "open_comparison",
]
