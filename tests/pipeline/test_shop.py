"""A shop in which views precede purchases, from its log to the figures of its purchases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.errors import DataError
from recsys.evaluation import evaluate
from recsys.ingestion import IngestedData, IngestPolicy, ingest
from recsys.pipeline.scoring import towers_scorer
from recsys.splits import LeaveLastOutConfig, split
from recsys.towers import FullSoftmax, MeanHistory, TowersConfig, TrainConfig, fit

GROUPS = 3
WEIGHTS = {"view": 0.05, "purchase": 1.0}
SPLIT = LeaveLastOutConfig(target_events=("purchase",), repeats="keep-strongest")
TOWERS = TowersConfig(
    dimension=8, id_dropout=0, terms="none", history=MeanHistory(window=5, ages="equal")
)


def shop(events: dict[str, float]) -> IngestedData:
    """In each group of products, most people who view the base product then view the fancy one,
    and the others buy the good one; the last four view it first, and are tested.
    """
    rows = []
    for group in range(GROUPS):
        visits = [*["view base, view fancy"] * 12, *["view base, purchase good"] * 4]
        visits += ["view base, view good, purchase good"] * 4
        for number, visit in enumerate(visits):
            for at, event in enumerate(visit.split(", ")):
                kind, product = event.split()
                rows.append((f"user{group}-{number}", f"{product}{group}", at, kind))
    log = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp", "event"])
    return ingest(log, policy=IngestPolicy(events=events))


def recall_of_purchases(data: IngestedData, folder: Path) -> float:
    parts = split(data.interactions, SPLIT.model_copy(update={"repeats": "keep-last"}))
    train = TrainConfig(
        loss=FullSoftmax(temperature=0.2),
        batch_positions=64,
        learning_rate=0.05,
        warmup_steps=1,
        epochs=12,
    )
    options = {"towers": TOWERS, "train": train, "folder": folder, "validate": None}
    towers = fit(parts.train, [], None, **options).towers
    known = np.zeros(len(data.interactions.users), np.bool_)
    scorer = towers_scorer(towers, known=known)
    return evaluate(scorer, parts, ks=(1,), resamples=1).figures["recall@1"]


def test_purchases_are_the_targets_and_histories_and_training_hold_views() -> None:
    data = shop(WEIGHTS)
    parts = split(data.interactions, SPLIT)
    names = data.catalogue.ids
    found = {
        (*names.ids(parts.test.history(at)), "->", *names.ids(parts.test.targets(at)))
        for at in range(len(parts.test))
    }
    assert found == {(f"base{group}", "->", f"good{group}") for group in range(GROUPS)}
    assert set(parts.train.weight.tolist()) == {np.float32(0.05), 1.0}
    # Without the policy every purchase is a repeat of a view, and nothing is left to test.
    with pytest.raises(DataError, match="12 test targets were left out, since the history"):
        split(data.interactions, SPLIT.model_copy(update={"repeats": "drop"}))
    with pytest.raises(DataError, match="not a greater weight.*weights in data.policy.events"):
        split(shop({"view": 1, "purchase": 1}).interactions, SPLIT)


def test_weights_move_the_model_from_viewed_items_to_bought_items(tmp_path: Path) -> None:
    assert recall_of_purchases(shop({"view": 1, "purchase": 1}), tmp_path / "equal") == 0
    assert recall_of_purchases(shop(WEIGHTS), tmp_path / "weighted") == 1
