"""Ways to make an embedding, side by side on one data set: one row each, the same split for all.

What a row is and what its columns mean is told in ``docs/embeddings.md``.
"""

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
