"""A training killed in any epoch and started again equals the uninterrupted one, to the last bit.

Each case has several options that draw random numbers or keep a state between epochs.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.features import FeatureBlock
from recsys.ids import Mask
from recsys.interactions import Interactions
from recsys.progress import Progress, silent
from recsys.towers import (
    Distillation,
    FitResult,
    HstuHistory,
    InBatchSoftmax,
    InnerProduct,
    MeanHistory,
    MemberConfig,
    NoHistory,
    QueryBatch,
    SampledSoftmax,
    SetSoftmax,
    TowersConfig,
    TrainConfig,
    TransformerHistory,
    fit,
)
from tests.towers.worlds import cycle

USERS, ITEMS, EPOCHS = 12, 8, 3
RNG = np.random.default_rng(4)
MEAN = MeanHistory(window=4)


def _block(name: str, mask: Mask) -> FeatureBlock:
    return FeatureBlock(
        RNG.normal(size=(len(mask), 3)).astype(np.float32) * mask[:, None], mask, name
    )


BLOCKS = [_block("text", np.arange(ITEMS) >= 0), _block("image", np.arange(ITEMS) > 1)]
USER_BLOCK = _block("users", np.arange(USERS) != 5)
PHRASE_VECTORS = np.eye(ITEMS + 1, 4, k=-1, dtype=np.float32)


def _log() -> Interactions:
    """The circle of items, two of three of which are preceded by a search."""
    log = cycle(USERS, ITEMS, length=9)
    return Interactions.of(
        log.users,
        log.items,
        user=log.user,
        item=log.item,
        time=1_700_000_000 + log.time * np.arange(1, len(log) + 1),
        phrases=("", *(f"word{item}" for item in range(ITEMS))),
        terms=np.where(np.arange(len(log)) % 3 > 0, log.item + 1, 0),
    )


CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "transformer": (
        {
            "history": TransformerHistory(window=4, blocks=1, heads=2, dropout=0.3),
            "user_id": "embedding",
            "block_dropout": 0.3,
        },
        {"average": 0.9, "decay": "cosine", "weight_decay": 0.01},
    ),
    "hstu": (
        {
            "history": HstuHistory(
                window=4, blocks=1, heads=2, dropout=0.3, time_bias="log-buckets", time_dropout=0.4
            ),
            "item_id": "delta",
        },
        {"loss": SampledSoftmax(negatives=3)},
    ),
    "mean": (
        {"history": MEAN, "projection": "mlp", "item_id": "none", "block_dropout": 0.2},
        {"loss": InBatchSoftmax(mask="user"), "validate_every": 2, "average": 0.5},
    ),
    "graph": (
        {"history": NoHistory(), "user_id": "embedding", "graph": "light-gcn", "id_dropout": 0.4},
        {"loss": InnerProduct(negatives=3)},
    ),
    "student": (
        {"history": MEAN, "user_id": "embedding", "terms": "none"},
        {"loss": SetSoftmax(), "distillation": Distillation(epochs=2), "epochs": 2},
    ),
    "members": (
        {"history": MEAN, "user_id": "embedding", "id_initial": "spectral"},
        {"members": (MemberConfig(), MemberConfig(blocks=("text",))), "epochs": 2},
    ),
}


def _train(folder: Path, case: str, copies: Path | None = None) -> FitResult:
    """Train a case, and keep a copy of its folder as it is in each validation."""
    towers, train = CASES[case]
    validations = 0

    def validate(towers: Any) -> float:
        nonlocal validations
        validations += 1
        if copies is not None and folder.exists():
            shutil.copytree(folder, copies / str(validations))
        # The figures do not rise throughout, so that the best epoch is not always the last.
        return float(np.abs(towers.item_vectors[:, 0]).sum())

    common: Mapping[str, Any] = {"learning_rate": 0.03, "warmup_steps": 2, "batch_positions": 32}
    return fit(
        _log(),
        BLOCKS,
        PHRASE_VECTORS,
        towers=TowersConfig(**{"dimension": 8, "id_dropout": 0.2, **towers}),
        train=TrainConfig(**{"epochs": EPOCHS, "patience": EPOCHS, **common, **train}),
        folder=folder,
        validate=validate,
        user_block=USER_BLOCK,
    )


def _queries(fitted: FitResult) -> Any:
    histories = [np.array([0, 1], np.int32), np.array([3], np.int32)]
    return fitted.towers.encode(QueryBatch.of(histories, users=np.array([0, 5], np.int32)))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_killed_training_resumes_exactly(tmp_path: Path, case: str) -> None:
    (tmp_path / "killed").mkdir()
    whole = _train(tmp_path / "whole", case, copies=tmp_path / "killed")
    killed = sorted((tmp_path / "killed").iterdir())
    assert killed, "no epoch was complete in any validation"
    for folder in killed:
        resumed = _train(folder, case)
        for name in ("number", "loss", "validation"):
            figures = [[getattr(epoch, name) for epoch in run.epochs] for run in (whole, resumed)]
            assert figures[0] == figures[1], name
        assert resumed.best_epochs == whole.best_epochs
        assert resumed.validation == whole.validation
        np.testing.assert_array_equal(resumed.towers.item_vectors, whole.towers.item_vectors)
        np.testing.assert_array_equal(_queries(resumed), _queries(whole))


class _Killed(Exception):
    pass


@pytest.mark.slow
def test_a_refit_killed_within_an_epoch_resumes_exactly(tmp_path: Path) -> None:
    def train(folder: Path, progress: Progress = silent) -> FitResult:
        towers, _ = CASES["transformer"]
        return fit(
            _log(),
            BLOCKS,
            PHRASE_VECTORS,
            towers=TowersConfig(dimension=8, id_dropout=0.2, **towers),
            train=TrainConfig(epochs=4, batch_positions=32, warmup_steps=2, average=0.9),
            folder=folder,
            validate=None,
            stop_after=(3,),
            user_block=USER_BLOCK,
            progress=progress,
        )

    def kill(description: str, done: int, total: int, note: str = "") -> None:
        if "epoch 3/" in description:
            raise _Killed

    whole = train(tmp_path / "whole")
    with pytest.raises(_Killed):
        train(tmp_path / "killed", kill)
    resumed = train(tmp_path / "killed")
    assert [each.loss for each in resumed.epochs] == [each.loss for each in whole.epochs]
    np.testing.assert_array_equal(resumed.towers.item_vectors, whole.towers.item_vectors)
    np.testing.assert_array_equal(_queries(resumed), _queries(whole))
