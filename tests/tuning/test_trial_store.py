"""Stored trials and proposals, also after the process was killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recsys.config import parse_config
from recsys.errors import ConfigError
from recsys.tuning import StudyConfig
from recsys.tuning.search_space import SearchSpace
from recsys.tuning.trial_store import Trial, TrialStore
from tests.tuning.test_search_space import BASE

RATE = {"train.learning_rate": {"low": 1e-4, "high": 0.1, "log": True}}
MIXED = {**RATE, "towers.dimension": {"choices": [8, 16]}, "train.patience": {"low": 1, "high": 3}}


def open_store(folder: Path, space: dict[str, Any] = MIXED, **more: Any) -> TrialStore:
    sampler = {"name": "tpe", "startup_trials": 3}
    values = {"name": "s", "base": "b.toml", "space": space, "sampler": sampler, "seed": 1, **more}
    config = parse_config(values, StudyConfig)
    return TrialStore(folder, config, SearchSpace(config, BASE, source="s.toml"), longest=9)


def figure_of(trial: Trial) -> float:
    return 0.1 - abs(trial.drawn["train.learning_rate"] - 0.01)


def drawn(store: TrialStore, count: int) -> list[Any]:
    for _ in range(count):
        trial = store.next(trials=100)
        assert trial is not None
        store.finish(trial, "complete", figure=figure_of(trial))
    return [trial.drawn for trial in store.trials]


def test_proposals_depend_on_the_seed(tmp_path: Path) -> None:
    first, same = drawn(open_store(tmp_path / "a"), 6), drawn(open_store(tmp_path / "b"), 6)
    assert first == same and len({str(each) for each in first}) == 6
    assert drawn(open_store(tmp_path / "c", seed=2), 6) != first


def test_proposals_are_the_same_after_reopening(tmp_path: Path) -> None:
    whole = drawn(open_store(tmp_path / "a"), 6)
    for _ in range(6):
        store = open_store(tmp_path / "b")
        halfway = store.next(trials=100)  # killed here: the next one is given the same trial
        store = open_store(tmp_path / "b")
        assert store.next(trials=100) == halfway
        assert halfway is not None and halfway.state == "unfinished"
        store.finish(halfway, "complete", figure=figure_of(halfway))
    assert [trial.drawn for trial in open_store(tmp_path / "b").trials] == whole


def test_folder_names_may_have_special_characters(tmp_path: Path) -> None:
    folder = tmp_path / "what? #1 100%20"
    drawn(open_store(folder), 1)
    assert (folder / "study.log").is_file()
    assert len(open_store(folder).trials) == 1


def test_file_that_is_not_a_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.log").write_text("some notes\nin two lines\n")
    with pytest.raises(
        ConfigError, match=r"study.log .* is not a readable study .* start again with --again"
    ):
        open_store(tmp_path)


def test_traces_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    before = drawn(open_store(tmp_path), 2)
    with (tmp_path / "study.log").open("ab") as file:
        file.write(b'{"op_code":5,"worker')  # killed in the middle of a line, with the lock held
    (tmp_path / "study.log.lock").touch()
    assert drawn(open_store(tmp_path), 1)[:2] == before
    assert len(open_store(tmp_path).trials) == 3


def test_small_space_is_searched_exhaustively(tmp_path: Path) -> None:
    space = {"towers.dimension": {"choices": [8, 16]}, "train.patience": {"low": 1, "high": 2}}
    store = open_store(tmp_path / "a", space)
    seen = []
    while (trial := store.next(trials=9)) is not None:
        seen.append(tuple(trial.drawn.values()))
        store.finish(trial, "failed" if len(seen) == 2 else "complete", figure=0.5, reason="why")
    assert sorted(seen) == [("16", 1), ("16", 2), ("8", 1), ("8", 2)]
    store = open_store(tmp_path / "b", {"towers.dimension": {"choices": [8]}})
    trial = store.next(trials=9)
    assert trial is not None and trial.drawn == {"towers.dimension": "8"}
    store.finish(trial, "complete", figure=0.5)
    assert store.next(trials=9) is None


def test_no_combination_is_proposed_twice(tmp_path: Path) -> None:
    """Random draws of 11 of 12 combinations would repeat one in almost every study."""
    space = {"towers.dimension": {"choices": [8, 16]}, "train.patience": {"low": 1, "high": 6}}
    for name in ("tpe", "random"):
        store = open_store(tmp_path / name, space, sampler={"name": name})
        seen = []
        while (trial := store.next(trials=11)) is not None:
            seen.append(tuple(trial.drawn.values()))
            store.finish(trial, "failed" if len(seen) % 3 == 0 else "complete", figure=0.5)
        assert len(seen) == len(set(seen)) == 11
        assert store.next(trials=12) is not None, "one combination is left"


def test_study_ends_when_no_draw_is_new(tmp_path: Path) -> None:
    """Numbers have four significant digits, so that this range has four values."""
    store = open_store(tmp_path, {"train.learning_rate": {"low": 0.01, "high": 0.01003}})
    seen = []
    while (trial := store.next(trials=9)) is not None:
        seen.append(f"{trial.drawn['train.learning_rate']:.4g}")
        store.finish(trial, "complete", figure=0.5)
    assert sorted(seen) == ["0.01", "0.01001", "0.01002", "0.01003"]


def test_trial_below_the_median_is_pruned_and_an_epoch_is_stored_once(tmp_path: Path) -> None:
    pruner = {"name": "median", "startup_trials": 2, "warmup_epochs": 2}
    store = open_store(tmp_path, pruner=pruner)
    for figure in (0.5, 0.6):
        trial = store.next(trials=9)
        assert trial is not None
        for epoch in (1, 2, 3):
            store.report(trial, epoch=epoch, figure=figure)
            store.report(
                trial, epoch=epoch, figure=0.0
            )  # as after a kill, when an epoch is repeated
            assert not store.should_prune(trial)
        assert store.finish(trial, "complete", figure=figure).epochs == dict.fromkeys(
            (1, 2, 3), figure
        )
    trial = store.next(trials=9)
    assert trial is not None
    store.report(trial, epoch=1, figure=0.1)
    assert not store.should_prune(trial), "stopped before its warm-up was over"
    store.report(trial, epoch=2, figure=0.2)
    assert store.should_prune(trial)
    ended = store.finish(trial, "pruned")
    assert (ended.state, ended.figure) == ("pruned", 0.2)


def test_hyperband_prunes_some_trials_but_not_the_best(tmp_path: Path) -> None:
    store = open_store(tmp_path, pruner={"name": "hyperband", "reduction": 2})
    states = []
    for number in range(8):
        trial = store.next(trials=9)
        assert trial is not None
        figure, state = (0.9 if number == 0 else 0.1 / number), "complete"
        for epoch in range(1, 10):
            store.report(trial, epoch=epoch, figure=figure)
            if store.should_prune(trial):
                state = "pruned"
                break
        states.append(store.finish(trial, state, figure=figure).state)  # type: ignore[arg-type]
    assert states[0] == "complete" and "pruned" in states


def test_importance_is_highest_for_the_key_that_matters(tmp_path: Path) -> None:
    store = open_store(tmp_path, sampler={"name": "random"})
    assert store.importance() == {}
    drawn(store, 24)
    found = store.importance()
    assert max(found, key=lambda key: found[key]) == "train.learning_rate"
    assert sum(found.values()) == pytest.approx(1, abs=1e-4)
