"""The benchmark of training on a small log: its learning curves, its figures and its parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.training import __main__ as training
from benchmarks.training import page, profile
from benchmarks.training import tutorial as tfrs_tutorial
from recsys.evaluation import RandomScorer
from recsys.features import FeatureBlock
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.splits import LeaveLastOutConfig, Split, split
from recsys.towers import FullSoftmax, TowersConfig, TrainConfig, TransformerHistory

ITEMS = 12


@pytest.fixture(scope="module")
def parts() -> Split:
    """Each user goes round the items in order, from a beginning of their own."""
    users, each = 40, 9
    return split(
        Interactions.of(
            IdMap.of("user", [f"u{at}" for at in range(users)]),
            IdMap.of("item", [f"i{at}" for at in range(ITEMS)]),
            user=np.repeat(np.arange(users), each),
            item=(np.repeat(np.arange(users), each) + np.tile(np.arange(each), users)) % ITEMS,
            time=np.tile(np.arange(each), users),
        ),
        LeaveLastOutConfig(),
    )


@pytest.fixture
def small(parts: Split, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(training, "RUNS", tmp_path)
    monkeypatch.setattr(training, "data", lambda: parts)
    monkeypatch.setattr(training, "EXAMPLES", 128)
    monkeypatch.setattr(training, "TURNS", 2)
    monkeypatch.setattr(tfrs_tutorial, "BATCH", 64)
    own = training.TRAIN.model_copy(update={"batch_positions": 64, "epochs": 3})
    monkeypatch.setattr(training, "TRAIN", own)


@pytest.mark.usefixtures("small")
def test_the_tutorial_stops_after_its_best_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    rising = iter([0.1, 0.3, 0.2, 0.3, 0.2, 0.9])
    monkeypatch.setattr(training, "quality", lambda scorer, parts: next(rising))
    monkeypatch.setattr(training, "PATIENCE", 3)
    result = training.train_tutorial(1)
    assert (result["figure"], result["epoch"], result["figures"]) == (
        0.3,
        2,
        [0.1, 0.3, 0.2, 0.3, 0.2],
    )
    assert 0 < result["every_seconds"][0] < result["seconds"] < result["every_seconds"][-1]


@pytest.mark.usefixtures("small")
def test_the_time_of_ours_ends_at_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    rising = iter([0.1, 0.3, 0.5])
    monkeypatch.setattr(training, "quality", lambda scorer, parts: next(rising))
    result = training.train_ours(1, target=0.3)
    assert (result["figure"], result["epoch"], result["figures"]) == (0.3, 2, [0.1, 0.3, 0.5])
    assert 0 < result["every_seconds"][0] < result["seconds"] < result["every_seconds"][2]


@pytest.mark.usefixtures("small")
def test_a_missed_target_is_an_error() -> None:
    with pytest.raises(SystemExit, match=r"reached \d\.\d+, less than the tutorial's 1\.1000"):
        training.train_ours(1, target=1.1)


@pytest.mark.usefixtures("small")
def test_rates_of_both_models() -> None:
    found = training.measure_rates()
    assert [len(found[name]) for name in ("tutorial", "ours")] == [2, 2]
    assert min(map(min, found.values())) > 0


def test_validation_does_not_count_as_training_time(
    parts: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]

    def quality(scorer: Any, parts: Split) -> float:
        now[0] += 4
        return 0.5

    monkeypatch.setattr(training.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(training, "quality", quality)
    curve = training.LearningCurve(parts)
    for seconds in (2, 8):
        now[0] += seconds
        curve.add(RandomScorer(ITEMS))
    assert curve.seconds == [2, 10] and curve.figures == [0.5, 0.5]


def test_ratios_are_paired_by_seed() -> None:
    made = made_parts()
    figures = training.figures_of(made, {"step_time_10m_over_10k_items": 1.1, "10000.peak_gib": 2})
    wanted = {
        "time_to_tutorial_quality_ratio": (10 + 20 + 60) / 3,
        "tutorial.seconds": 200,
        "ours.validation.ndcg@10": 0.05,
        "ours.best_validation.ndcg@10": 0.06,
        "examples_per_second_ratio": 4,
        "examples_per_second_ratio.best": 5,
        "step_time_10m_over_10k_items": 1.1,
        "tutorial.seconds.std": 100,
    }
    assert {name: figures[name] for name in wanted} == pytest.approx(wanted)
    assert "10000.peak_gib" not in figures
    assert figures["profile.rest.milliseconds"] == pytest.approx(10)


def test_tables_of_the_page() -> None:
    steps = {"10000.milliseconds": 40.0, "10000000.milliseconds": 44.0}
    steps["step_time_10m_over_10k_items"] = 1.1
    tables = page.sections(training.figures_of(made_parts(), steps))
    comparison, parts = tables["comparison"], tables["profile"]
    assert "| seconds of training | 200.0 ± 100.0 | 8.3 ± 2.9 | **30 ± 26** |" in comparison
    assert "| examples per second, median | 2 | 8 | **4.0** |" in comparison
    assert "| history | 40.0 | 40% |" in parts
    assert "| **step** | 100.0 | 100% |" in parts


def made_parts() -> dict[str, dict]:
    own = {"figure": 0.05, "figures": [0.05, 0.06], "epoch": 1}
    tutorial = {"figure": 0.04, "epoch": 7, "figures": [0.04]}
    parts = {f"tutorial-{at}": {**tutorial, "seconds": 100.0 * at} for at in (1, 2, 3)}
    parts |= {f"ours-{at}": {**own, "seconds": each} for at, each in ((1, 10), (2, 10), (3, 5))}
    milliseconds = {"step": 90.0, "input": 10.0, "item_tower": 10.0, "history": 40.0}
    milliseconds |= {"softmax": 20.0, "optimizer": 10.0}
    return parts | {
        "rates": {"tutorial": [1.0, 2.0, 3.0], "ours": [8.0, 15.0, 4.0]},
        "profile": {"milliseconds": milliseconds},
    }


def test_the_parts_of_a_step_are_run_and_counted(parts: Split) -> None:
    history = TransformerHistory(window=6, blocks=1, heads=1, expansion=2)
    vectors = np.random.default_rng(0).standard_normal((ITEMS, 5)).astype(np.float32)
    result = profile.measure(
        parts.train,
        [FeatureBlock(vectors, np.ones(ITEMS, np.bool_), "text")],
        TowersConfig(dimension=8, history=history, terms="none"),
        TrainConfig(loss=FullSoftmax(), batch_positions=70),
        batches=3,
        rounds=2,
    )
    assert all(each > 0 for each in result["milliseconds"].values())
    assert set(result["milliseconds"]) == {"step", *profile.PARTS}
