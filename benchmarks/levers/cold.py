"""Items that training never met, on Amazon Beauty: what content does for them, and to the others.

A tenth of the items is withheld from training altogether, and of each user the last two of the
others: one training tells of both. ``no_loss`` is by how many standard deviations (the root of the
mean of both variances) towers with words find warm items better than towers with ids alone, the
better of those by validation; -1 or more is no loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.levers.beauty import WORDS
from benchmarks.levers.world import ONE_PAIR, Variant, World
from benchmarks.quality.datasets import BEAUTY

WARM, COLD = "recall_of_warm@10", "cold_recall@10"
NAME, DROPOUT = "cold", {"towers.id_dropout": 0.5}
ALONE, CONTENT = ("ids", "ids-dropout"), "ids+words"
IDS: dict[str, Any] = {"towers.blocks": []}

LEVERS = World(
    NAME,
    "Amazon Beauty, a tenth of the items withheld",
    BEAUTY,
    {
        "split": {
            "protocol": "cold-items",
            "share": 0.1,
            "warm": "last",
            "validation_sample": 8000,
        },
        **ONE_PAIR,
    },
    (
        Variant(ALONE[0], "ids alone, none left out", {**IDS, "towers.id_dropout": 0.0}),
        Variant(ALONE[1], "ids alone, half of them left out in a step", {**IDS, **DROPOUT}),
        Variant(CONTENT, "ids and words", {"towers.blocks": [WORDS], **DROPOUT}),
        Variant("ids+words+bert", "ids, words and BERT", {"towers.blocks": ["text"], **DROPOUT}),
    ),
    "test",
    (WARM, COLD),
    ((1, 2, 3), (1, 2, 3)),
)


def no_loss(parts: Mapping[str, Any]) -> float | None:
    """How much better warm items are found with words than without, in standard deviations.

    Args:
        parts: Of the record, by ``cold.NAME``.

    Returns:
        None where a part, or its spread, is not there.
    """
    alone = [parts[f"{NAME}.{name}"] for name in ALONE if f"{NAME}.{name}" in parts]
    content = parts.get(f"{NAME}.{CONTENT}")
    if len(alone) < len(ALONE) or content is None:
        return None
    if any("stopped" in part for part in (*alone, content)):
        return None
    best = max(alone, key=lambda part: float(np.mean(list(part["validation"].values()))))
    if any(f"{WARM}.std" not in part["figures"] for part in (best, content)):
        return None
    spread = [part["figures"][f"{WARM}.std"] for part in (best, content)]
    pooled = float(np.sqrt(np.mean(np.square(spread))))
    gap = content["figures"][WARM] - best["figures"][WARM]
    return float(gap / pooled) if pooled > 0 else None
