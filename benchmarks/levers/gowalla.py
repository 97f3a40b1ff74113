"""The levers of Gowalla: who was where and nothing else, not even in which order."""

from __future__ import annotations

from typing import Any

from benchmarks.levers.world import BASE, ONE_PAIR, REMOVED, Variant, World
from benchmarks.quality.datasets import GOWALLA

CCL: dict[str, Any] = {"name": "ccl", "negatives": 1024, "mask": "user", "margin": 0.9}


def _lesson(filter_share: float) -> dict[str, Any]:
    return {"filter_share": filter_share, "temperature": 0.14, "sharpness": 3, "epochs": 12}


LEVERS = World(
    "gowalla",
    "Gowalla",
    GOWALLA,
    ONE_PAIR,
    (
        Variant(
            BASE,
            "ids of users and places, all of a user's places at once"
            " (Mult-VAE's likelihood, Liang et al. 2018)",
        ),
        Variant("without-graph", "ids are not smoothed over the graph", {"towers.graph": "none"}),
        *(
            Variant(
                f"layers-{layers}",
                f"smoothed over interactions up to {layers} away (LightGCN, He et al. 2020)",
                {"towers.graph": "light-gcn", "towers.graph_layers": layers},
            )
            for layers in (1, 3, 4)
        ),
        Variant(
            "graph-dropout-0.3",
            "a step's graph does without three of ten interactions (SGL, Wu et al. 2021)",
            last_commit=REMOVED,
        ),
        Variant("popularity-0", "every place's vector has length 1", {"towers.popularity": 0.0}),
        *(
            Variant(f"counts-{counts}", f"all {counts} count alike", {"train.loss.counts": counts})
            for counts in ("users", "interactions")
        ),
        *(
            Variant(f"distilled-filter-{share}", told, {"train.distillation": _lesson(share)})
            for share, told in (
                (0.0, "a student of the towers alone (ranking distillation, Tang & Wang 2018)"),
                (0.7, "a student of the towers and a filter of places x places"),
                (1.0, "a student of the filter alone, which begins as the towers"),
            )
        ),
        Variant(
            "distilled-gf-cf",
            "a student of the towers and the filter as published (GF-CF, Shen et al. 2021)",
            {
                "train.distillation": {
                    **_lesson(0.7),
                    "item_filter": {"of_users": 1.0, "of_met": 0.5, "of_items": 0.5},
                }
            },
        ),
        Variant("initial-short", "ids begin random and short", {"towers.id_initial": "short"}),
        Variant(
            "initial-spectral",
            "ids begin as the leading singular vectors (SVD-GCN, Peng et al. 2022)",
            {"towers.id_initial": "spectral"},
        ),
        Variant("temperature-0.07", "a lower temperature", {"train.loss.temperature": 0.07}),
        Variant("temperature-0.15", "a higher temperature", {"train.loss.temperature": 0.15}),
        Variant(
            "history-share",
            "half of a query is the mean of the user's places (SimpleX, Mao et al. 2021)",
            last_commit=REMOVED,
        ),
        Variant(
            "ccl",
            "one place at a time, cosine contrastive with 1,024 negatives (SimpleX), in the"
            " base's few large steps",
            {"train.loss": CCL},
        ),
        *(
            Variant(
                name,
                "the mean of the user's places and the user's id, no graph, cosine contrastive from"
                f" {margin} on, {epochs} epochs of small steps (SimpleX)",
                last_commit=REMOVED,
            )
            for name, margin, epochs in (
                ("simplex", 0.9, 10),
                ("simplex-margin-0.4", 0.4, 10),
                ("simplex-epochs-30", 0.9, 30),
            )
        ),
    ),
    "validation",
    ("ndcg@20", "recall@20"),
)
