"""Studies that train towers: killed in the middle, and evaluated on validation only."""

from __future__ import annotations

import ast
import json
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.evaluation import evaluation
from recsys.pipeline import open_job, run_job
from recsys.splits import HeldOutQueries, split
from recsys.tuning.running import tune
from recsys.tuning.study import Study, open_study
from tests import forked
from tests.tuning.tiny import STUDY, TEMPERATURES, RecordingObserver, write_study

ROOT = Path(__file__).parents[2]
TWO = STUDY.replace("trials = 3", "trials = 2")


@dataclass(frozen=True)
class Whole:
    """A study that was never interrupted."""

    folder: Path
    study: Study
    content: dict[str, Any]
    evaluated: list[HeldOutQueries]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    evaluated: list[HeldOutQueries] = []
    evaluate_queries = evaluation.evaluate_queries

    def watched(scorer: Any, queries: HeldOutQueries, **more: Any) -> Any:
        evaluated.append(queries)
        return evaluate_queries(scorer, queries, **more)

    folder = tmp_path_factory.mktemp("whole")
    path = write_study(folder / "shop", TWO, TEMPERATURES)
    study = open_study(path, runs=folder / "runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "evaluate_queries", watched)
        content = tune(study, command="again", observer=RecordingObserver())
    return Whole(folder, study, content, evaluated)


@pytest.mark.slow
def test_a_killed_study_continues_in_the_same_epoch(tmp_path: Path, whole: Whole) -> None:
    path, folder = whole.folder / "shop/study.toml", tmp_path / "study"
    done = _run(path, tmp_path, "2", "train, epoch 3")
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (folder / "trials.html").exists() and (folder / "best.toml").is_file()
    kept = json.loads((folder / "trials.json").read_text())
    assert [trial["number"] for trial in kept["trials"]] == [1]
    seen = {figure for trial in whole.content["trials"] for figure in trial["epochs"].values()}
    assert len(seen) > 3, "figures that are all alike would prove nothing"

    done = _run(path, tmp_path)
    assert done.returncode == 0, done.stderr
    epochs = list(dict.fromkeys(done.stdout.splitlines()))
    assert epochs == ["1 train, epoch 3/3"], "an ended trial or a whole epoch was trained again"
    trials = json.loads((folder / "trials.json").read_text())["trials"]
    for key in ("number", "state", "chosen", "figure", "epochs"):
        assert [trial[key] for trial in trials] == [t[key] for t in whole.content["trials"]]


@pytest.mark.slow
def test_trials_are_evaluated_on_validation_only(
    whole: Whole,
) -> None:
    (data,) = whole.study.data.loaded.values()
    parts = split(data.ingested.interactions, whole.study.run.split)
    assert len(parts.test) and not len(data.split.test)
    assert len(whole.evaluated) == 6, "two trials of three epochs"
    for queries in whole.evaluated:
        np.testing.assert_array_equal(queries.target_rows, parts.validation.target_rows)

    runs = whole.folder / "runs"
    job = open_job(runs / "study/best.toml", runs=runs)
    *_, trained = run_job(job, until="train", observer=RecordingObserver())
    name = "validation.ndcg@5"
    assert trained.figures[name] == pytest.approx(whole.content["figures"][name], abs=1e-9)


def test_tuning_reads_no_test() -> None:
    for file in sorted((ROOT / "recsys/tuning").glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        read = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr == "test"
        ]
        # Where the split is made the test is cut to nothing; that is the only place.
        assert len(read) == (file.name == "trial_data.py"), file.name
        assert "judging" not in file.read_text(encoding="utf-8"), file.name


def _run(config: Path, runs: Path, *moment: str) -> subprocess.CompletedProcess[str]:
    return forked.run("tests.tuning.killed_study", config, runs, *moment)
