"""The levers of MovieLens-1M: long histories in order.

The preset trains for 24 epochs, half an hour; here all have a third of that, so that a variant
takes ten minutes. Levers that short histories tell as well (masks, smoothing, averages, rates) are
Beauty's.
"""

from __future__ import annotations

from typing import Any

from benchmarks.levers.world import BASE, ONE_PAIR, Variant, World
from benchmarks.quality.datasets import MOVIELENS

EPOCHS = 8
SASREC = {"name": "transformer", "window": 200, "expansion": 2}


def _history(name: str, told: str, **changes: Any) -> Variant:
    return Variant(name, told, {f"towers.history.{key}": each for key, each in changes.items()})


LEVERS = World(
    "movielens-1m",
    f"MovieLens-1M, {EPOCHS} epochs",
    MOVIELENS,
    {**ONE_PAIR, "train.epochs": EPOCHS, "train.patience": EPOCHS},
    (
        Variant(
            BASE,
            "ids, words, posters and years; six units of attention that adds up"
            " (HSTU, Zhai et al. 2024), the full softmax",
        ),
        Variant("without-content", "ids alone", {"towers.blocks": []}),
        Variant("sasrec", "a causal transformer (Kang & McAuley 2018)", {"towers.history": SASREC}),
        Variant(
            "ligr",
            "gated blocks (LiGR, as in eSASRec, Tikhonovich et al. 2025)",
            {"towers.history": {**SASREC, "block": "ligr"}},
        ),
        Variant(
            "mean",
            "a mean of the last 50 films, weighted by age",
            {"towers.history": {"name": "mean", "window": 50}},
        ),
        _history("units-2", "two units", blocks=2),
        _history("window-50", "the last 50 films", window=50),
        _history("without-dropout", "nothing is dropped", dropout=0.0),
        Variant(
            "sampled-softmax",
            "512 uniform negatives, corrected",
            {
                "train.loss": {
                    "name": "sampled-softmax",
                    "negatives": 512,
                    "temperature": 0.05,
                    "mask": "history",
                }
            },
        ),
    ),
    "validation",
    ("ndcg@10", "hr@10"),
    note=(
        f"All have {EPOCHS} epochs, a third of the preset's: what takes longer than the others to"
        " be good is told too low."
    ),
)
