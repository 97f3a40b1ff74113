"""The levers of MovieLens-1M: long histories in order. Each takes half an hour, so they are few."""

from __future__ import annotations

from benchmarks.levers.world import BASE, ONE_PAIR, Variant, World
from benchmarks.quality.datasets import MOVIELENS

HSTU = {"name": "hstu", "window": 200, "heads": 2, "dropout": 0.2}
SASREC = {"name": "transformer", "window": 200, "expansion": 2}

LEVERS = World(
    "movielens-1m",
    "MovieLens-1M",
    MOVIELENS,
    ONE_PAIR,
    (
        Variant(BASE, "the preset, one pair of towers"),
        Variant("sasrec", "a causal transformer (Kang & McAuley 2018)", {"towers.history": SASREC}),
        *(
            Variant(
                f"hstu-{blocks}",
                f"{blocks} units of attention that adds up (HSTU, Zhai et al. 2024)",
                {"towers.history": {**HSTU, "blocks": blocks}},
            )
            for blocks in (2, 4)
        ),
        Variant(
            "ligr",
            "gated blocks (LiGR, as in eSASRec, Tikhonovich et al. 2025)",
            {"towers.history": {**SASREC, "block": "ligr"}},
        ),
        *(
            Variant(f"smoothing-{share}", told, {"train.loss.smoothing": share})
            for share, told in (
                (0.0, "without label smoothing"),
                (0.1, "a tenth of the target over all items (Szegedy et al. 2016)"),
            )
        ),
        *(
            Variant(f"average-{share}", told, {"train.average": share})
            for share, told in (
                (0.0, "the weights as they are"),
                (0.999, "a moving average of the weights (Polyak & Juditsky 1992)"),
            )
        ),
        Variant("without-content", "ids alone", {"towers.blocks": []}),
    ),
    "validation",
    ("ndcg@10", "hr@10"),
)
