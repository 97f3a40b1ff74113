"""``recsys tune``: its output on stdout and stderr, and its exit codes."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recsys.cli import main
from recsys.errors import TrainingError
from recsys.tuning import variants
from tests.tuning.tiny import STUDY, TEMPERATURES, trained_by_rule, write_study

RULED = "recsys.tuning.training.train_towers"
VARIANTS = """
name = "widths"
base = "tiny.toml"

[[variants]]
name = "base"

[[variants]]
name = "wide"
changes = { "towers.dimension" = 16 }
"""


def _run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["tune", *map(str, arguments)])
    return int(ended.value.code or 0)


def test_the_table_starts_with_the_best_and_stderr_reports_every_trial(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RULED, trained_by_rule)
    path = write_study(tmp_path / "shop")
    assert _run(path, "--runs", tmp_path / "runs", "--trials", "2") == 0
    printed = capsys.readouterr()
    assert "temperature" in printed.out and "best" in printed.out
    assert "Ended: all trials were run." in printed.out and "best.toml" in printed.out
    assert "trial 1/2: train.loss.temperature 0." in printed.err
    assert "trial 2/2: complete, 0." in printed.err and "best so far 0." in printed.err

    assert _run(path, "--runs", tmp_path / "runs", "--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert len(content["trials"]) == 3 and content["best"] == content["trials"][0]["number"]

    assert _run(path, "--runs", tmp_path / "runs", "--trials", "9", "--minutes", "1e-9") == 0
    printed = capsys.readouterr()
    assert "Ended: the time is over; call again with more minutes to continue." in printed.out
    assert "trial" not in printed.err


def test_the_exit_code_is_1_without_a_complete_trial(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverging(*_: object, **__: object) -> None:
        raise TrainingError("the loss became nan")

    monkeypatch.setattr(RULED, diverging)
    path = write_study(tmp_path / "shop")
    assert _run(path, "--runs", tmp_path / "runs", "--trials", "1") == 1
    printed = capsys.readouterr()
    assert "Best: none" in printed.out
    assert "failed: trial 1: the loss became nan" in printed.err


def test_the_error_of_a_misspelt_key_names_the_similar_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_study(tmp_path / "shop", STUDY, TEMPERATURES.replace("temperature", "temprature"))
    assert _run(path) == 1
    assert "did you mean 'train.loss.temperature'" in capsys.readouterr().err
    path.write_text(STUDY.replace("trials", "trails") + TEMPERATURES)
    assert _run(path) == 1
    assert "unknown key 'trails': did you mean 'trials'" in capsys.readouterr().err


def test_variants_are_printed_with_the_difference_from_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(job: Any, folder: Path) -> Any:
        return SimpleNamespace(epochs=[], best_epochs=[], validation=0.5)

    def figures(job: Any, fitted: Any, metrics: Any) -> dict[str, float]:
        return {"ndcg@5": 0.5}

    monkeypatch.setattr("recsys.tuning.variants.train_towers", train)
    compare = partial(variants.compare_variants, evaluate_trial=figures)
    monkeypatch.setattr(variants, "compare_variants", compare)
    path = write_study(tmp_path / "shop", VARIANTS)
    runs = ("--runs", tmp_path / "runs")
    assert _run(path, *runs) == 0
    printed = capsys.readouterr()
    assert "difference in std" in printed.out and "wide" in printed.out
    assert "trial 2/2: variant wide, seed 1" in printed.err
    assert _run(path, *runs, "--trials", "3") == 1
    assert "--trials and --minutes are for studies with a space" in capsys.readouterr().err
