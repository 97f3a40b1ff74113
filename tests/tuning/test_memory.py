"""What Optuna remembers and proposes: the same for the same seed, killed or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recsys.config import parse_config
from recsys.errors import ConfigError
from recsys.tuning import StudyConfig
from recsys.tuning.memory import Memory, Trial
from recsys.tuning.space import Space
from tests.tuning.test_space import BASE

RATE = {"train.learning_rate": {"low": 1e-4, "high": 0.1, "log": True}}
MIXED = {**RATE, "towers.dimension": {"choices": [8, 16]}, "train.patience": {"low": 1, "high": 3}}


def memory(folder: Path, space: dict[str, Any] = MIXED, **more: Any) -> Memory:
    sampler = {"name": "tpe", "startup_trials": 3}
    asked = {"name": "s", "base": "b.toml", "space": space, "sampler": sampler, "seed": 1, **more}
    config = parse_config(asked, StudyConfig)
    return Memory(folder, config, Space(config, BASE, source="s.toml"), longest=9)


def figure_of(trial: Trial) -> float:
    return 0.1 - abs(trial.drawn["train.learning_rate"] - 0.01)


def drawn(kept: Memory, count: int) -> list[Any]:
    for _ in range(count):
        trial = kept.next(trials=100)
        assert trial is not None
        kept.finish(trial, "complete", figure=figure_of(trial))
    return [trial.drawn for trial in kept.trials]


def test_the_same_seed_proposes_the_same_and_another_does_not(tmp_path: Path) -> None:
    first, same = drawn(memory(tmp_path / "a"), 6), drawn(memory(tmp_path / "b"), 6)
    assert first == same and len({str(each) for each in first}) == 6
    assert drawn(memory(tmp_path / "c", seed=2), 6) != first


def test_opened_again_it_proposes_what_it_would_have_proposed(tmp_path: Path) -> None:
    whole = drawn(memory(tmp_path / "a"), 6)
    for _ in range(6):
        kept = memory(tmp_path / "b")
        halfway = kept.next(trials=100)  # killed here: the next one is given the same trial
        kept = memory(tmp_path / "b")
        assert kept.next(trials=100) == halfway
        assert halfway is not None and halfway.state == "unfinished"
        kept.finish(halfway, "complete", figure=figure_of(halfway))
    assert [trial.drawn for trial in memory(tmp_path / "b").trials] == whole


def test_a_folder_with_every_odd_character_can_keep_a_study(tmp_path: Path) -> None:
    folder = tmp_path / "what? #1 100%20"
    drawn(memory(folder), 1)
    assert (folder / "study.log").is_file()
    assert len(memory(folder).trials) == 1


def test_a_file_that_is_no_study_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.log").write_text("somebody's own notes\nin two lines\n")
    with pytest.raises(ConfigError, match=r"study.log .* is no study .* begin anew with --again"):
        memory(tmp_path)


def test_what_a_killed_process_leaves_is_mended(tmp_path: Path) -> None:
    before = drawn(memory(tmp_path), 2)
    with (tmp_path / "study.log").open("ab") as file:
        file.write(b'{"op_code":5,"worker')  # killed in the middle of a line, with the lock held
    (tmp_path / "study.log.lock").touch()
    assert drawn(memory(tmp_path), 1)[:2] == before
    assert len(memory(tmp_path).trials) == 3


def test_a_small_space_is_tried_whole_each_once_and_a_space_of_one_once(tmp_path: Path) -> None:
    space = {"towers.dimension": {"choices": [8, 16]}, "train.patience": {"low": 1, "high": 2}}
    kept = memory(tmp_path / "a", space)
    seen = []
    while (trial := kept.next(trials=9)) is not None:
        seen.append(tuple(trial.drawn.values()))
        kept.finish(trial, "failed" if len(seen) == 2 else "complete", figure=0.5, reason="why")
    assert sorted(seen) == [("16", 1), ("16", 2), ("8", 1), ("8", 2)]
    kept = memory(tmp_path / "b", {"towers.dimension": {"choices": [8]}})
    trial = kept.next(trials=9)
    assert trial is not None and trial.drawn == {"towers.dimension": "8"}
    kept.finish(trial, "complete", figure=0.5)
    assert kept.next(trials=9) is None


def test_a_proposal_that_was_there_before_is_known(tmp_path: Path) -> None:
    kept = memory(tmp_path, {"train.patience": {"low": 1, "high": 3}})
    trials = []
    for _ in range(2):  # fewer than there are combinations: drawn, not tried whole
        trial = kept.next(trials=2)
        assert trial is not None
        trials.append(kept.finish(trial, "failed", reason="too bad"))
    again = Trial(3, "unfinished", trials[0].drawn)
    found = kept.earlier(again)
    assert found is not None and found.number == 1 and found.reason == "too bad"
    assert kept.earlier(Trial(1, "unfinished", trials[0].drawn)) is None


def test_a_trial_below_the_median_is_hopeless_and_an_epoch_is_told_once(tmp_path: Path) -> None:
    pruner = {"name": "median", "startup_trials": 2, "warmup_epochs": 2}
    kept = memory(tmp_path, pruner=pruner)
    for figure in (0.5, 0.6):
        trial = kept.next(trials=9)
        assert trial is not None
        for epoch in (1, 2, 3):
            kept.tell(trial, epoch=epoch, figure=figure)
            kept.tell(trial, epoch=epoch, figure=0.0)  # as after a kill, when an epoch is repeated
            assert not kept.hopeless(trial)
        assert kept.finish(trial, "complete", figure=figure).epochs == dict.fromkeys(
            (1, 2, 3), figure
        )
    trial = kept.next(trials=9)
    assert trial is not None
    kept.tell(trial, epoch=1, figure=0.1)
    assert not kept.hopeless(trial), "stopped before its warm-up was over"
    kept.tell(trial, epoch=2, figure=0.2)
    assert kept.hopeless(trial)
    ended = kept.finish(trial, "pruned")
    assert (ended.state, ended.figure) == ("pruned", 0.2)


def test_hyperband_stops_some_and_not_the_best(tmp_path: Path) -> None:
    kept = memory(tmp_path, pruner={"name": "hyperband", "reduction": 2})
    states = []
    for number in range(8):
        trial = kept.next(trials=9)
        assert trial is not None
        figure, state = (0.9 if number == 0 else 0.1 / number), "complete"
        for epoch in range(1, 10):
            kept.tell(trial, epoch=epoch, figure=figure)
            if kept.hopeless(trial):
                state = "pruned"
                break
        states.append(kept.finish(trial, state, figure=figure).state)  # type: ignore[arg-type]
    assert states[0] == "complete" and "pruned" in states


def test_importance_names_the_key_that_matters(tmp_path: Path) -> None:
    kept = memory(tmp_path, sampler={"name": "random"})
    assert kept.importance() == {}
    drawn(kept, 24)
    found = kept.importance()
    assert max(found, key=lambda key: found[key]) == "train.learning_rate"
    assert sum(found.values()) == pytest.approx(1, abs=1e-4)
