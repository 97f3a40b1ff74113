"""What the order of Gowalla's lists is worth, judged by what came last in them.

The validation file is a random draw from the training lists and cannot tell what comes next; the
test file can, and is not looked at (``benchmarks.split_shift``). So the last fifth of each list of
the training file is held out, and training sees the rest. The base is the preset, its student
included.
"""

from __future__ import annotations

from typing import Any

from benchmarks.levers.world import BASE, ONE_PAIR, Variant, World
from benchmarks.quality.datasets import GOWALLA

FILTER = "train.distillation.item_filter"
GF_CF: dict[str, Any] = {"of_users": 1.0, "of_met": 0.5, "of_items": 0.5}
SET_FILTER: dict[str, Any] = {"of_users": 0.6, "of_met": 0.5, "of_items": 0.4}

LEVERS = World(
    "gowalla-order",
    "Gowalla, the ends of its lists",
    GOWALLA,
    {
        "data.interactions": {
            "format": "lightgcn",
            "files": {"train": "data:gowalla/train.txt", "test": "data:gowalla/test.txt"},
        },
        "split.validation_share": 0.2,
        "split.validation_from": "end",
    },
    (
        Variant(BASE, "the student, its filter with an eye to recency and nearness"),
        Variant(
            "without-order",
            "the filter reads sets, its powers those that the validation file prefers",
            {FILTER: SET_FILTER},
        ),
        Variant(
            "gf-cf",
            "the filter reads sets, as published (GF-CF, Shen et al. 2021)",
            {FILTER: GF_CF},
        ),
        Variant(
            "without-recency",
            "all of a user's places count alike",
            {f"{FILTER}.recency": 0.0},
        ),
        Variant(
            "without-nearness",
            "two places of a list have as much to do with each other wherever they stand",
            {f"{FILTER}.nearness": 0.0},
        ),
        Variant(
            "popular-damped",
            "popular places are proposed less, as the cosine has it",
            {f"{FILTER}.of_items": 0.4},
        ),
        Variant(
            "without-filter",
            "the towers alone teach",
            {"train.distillation.filter_share": 0.0},
        ),
        Variant(
            "without-student",
            "the pair of towers as it is, all of a user's places at once",
            ONE_PAIR,
        ),
        Variant(
            "hstu",
            "a pair that reads the list in its order (HSTU, Zhai et al. 2024), two units",
            {
                **ONE_PAIR,
                "towers.user_id": "none",
                "towers.graph": "none",
                "towers.popularity": 0.0,
                "towers.history": {"name": "hstu", "window": 100, "blocks": 2, "heads": 1},
                "train.batch_positions": 2048,
                "train.learning_rate": 2e-3,
                "train.epochs": 8,
                "train.average": 0.99,
                "train.loss": {
                    "name": "sampled-softmax",
                    "negatives": 4096,
                    "temperature": 0.05,
                    "mask": "history",
                },
            },
        ),
    ),
    "validation",
    ("ndcg@20", "recall@20"),
    note=(
        "The last fifth of each list of the training file is held out; the validation file is not"
        " read. The base is the preset as it is, its student included."
    ),
)
