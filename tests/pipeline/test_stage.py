"""The runner: reuse, recomputing, and resuming after a kill."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from recsys.errors import ConfigError
from recsys.pipeline.stage import Observer, Stage, StageOutput, StageResult, run_stages


@dataclass
class Job:
    """Two stages' settings, one input file, and a record of what was done."""

    source: Path
    settings: dict[str, Any] = field(default_factory=lambda: {"first": 1, "second": 1})
    before: dict[str, Callable[[Path], None]] = field(default_factory=dict)
    worked: list[str] = field(default_factory=list)
    outside: str = ""


class Seen(Observer):
    """An observer that records the stages."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}
        self.reused: dict[str, bool] = {}

    def starting(self, stage: str, reason: str) -> None:
        self.reasons[stage] = reason

    def finished(self, result: StageResult) -> None:
        self.reused[result.stage] = result.reused


def _stage(name: str, needs: tuple[str, ...] = (), **changes: Any) -> Stage[Job]:
    def run(job: Job, out: Path) -> StageOutput:
        job.worked.append(name)
        job.before.get(name, lambda folder: None)(out)
        (out / "result.txt").write_text(f"{name} {job.settings[name]}")
        return StageOutput({f"{name}.figure": 1.5}, {"note": name})

    return Stage(
        name,
        needs,
        changes.pop("version", 1),
        settings=lambda job: {"value": job.settings[name]},
        inputs=lambda job: {"source": job.source} if name == "first" else {},
        run=run,
        **changes,
    )


STAGES = (_stage("first"), _stage("second", ("first",)), _stage("aside"))


@pytest.fixture
def job(tmp_path: Path) -> Job:
    source = tmp_path / "source.csv"
    source.write_text("a,b\n")
    return Job(source, {"first": 1, "second": 1, "aside": 1})


def _run(job: Job, tmp_path: Path, stages: Any = STAGES, **options: Any) -> Seen:
    seen = Seen()
    job.worked.clear()
    run_stages(stages, job, tmp_path / "run", until="second", observer=seen, **options)
    return seen


def test_only_needed_stages_run(job: Job, tmp_path: Path) -> None:
    seen = _run(job, tmp_path)
    assert job.worked == ["first", "second"]
    assert seen.reasons == {"first": "not done yet", "second": "not done yet"}
    assert (tmp_path / "run/second/result.txt").read_text() == "second 1"


def test_results_that_are_up_to_date_are_reused(job: Job, tmp_path: Path) -> None:
    _run(job, tmp_path)
    seen = _run(job, tmp_path)
    assert job.worked == []
    assert seen.reused == {"first": True, "second": True}


def test_a_changed_setting_redoes_its_stage_and_those_after_it(job: Job, tmp_path: Path) -> None:
    _run(job, tmp_path)
    job.settings["first"] = 2
    seen = _run(job, tmp_path)
    assert seen.reasons == {"first": "its settings changed", "second": "stage 'first' changed"}
    job.settings["second"] = 2
    assert _run(job, tmp_path).reasons == {"second": "its settings changed"}


def test_a_changed_file_redoes_and_a_touched_one_does_not(job: Job, tmp_path: Path) -> None:
    _run(job, tmp_path)
    job.source.write_text("a,b\n")
    assert _run(job, tmp_path).reasons == {}
    job.source.write_text("a,c\n")
    assert _run(job, tmp_path).reasons["first"] == "input 'source' changed"


def test_a_new_version_of_the_code_redoes(job: Job, tmp_path: Path) -> None:
    _run(job, tmp_path)
    seen = _run(job, tmp_path, (_stage("first", version=2), STAGES[1]))
    assert seen.reasons["first"] == "the engine changed"


def test_a_requested_stage_is_recomputed(job: Job, tmp_path: Path) -> None:
    _run(job, tmp_path)
    assert _run(job, tmp_path, again=("second",)).reasons == {"second": "requested"}


def test_a_missing_result_outside_the_folder_is_recomputed(job: Job, tmp_path: Path) -> None:
    stages = (STAGES[0], _stage("second", ("first",), fault=lambda job, done: job.outside))
    _run(job, tmp_path, stages)
    job.outside = "its result is gone"
    assert _run(job, tmp_path, stages).reasons == {"second": "its result is gone"}


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_text("first 2"), "its file 'result.txt' is damaged"),
        (lambda path: path.unlink(), "its file 'result.txt' is missing"),
    ],
)
def test_a_damaged_result_is_recomputed(
    job: Job, tmp_path: Path, damage: Callable[[Path], None], reason: str
) -> None:
    _run(job, tmp_path)
    damage(tmp_path / "run/first/result.txt")
    assert _run(job, tmp_path).reasons == {"first": reason}
    assert (tmp_path / "run/first/result.txt").read_text() == "first 1"
    assert _run(job, tmp_path).reasons == {}


def test_a_stage_stopped_half_way_leaves_the_old_result(job: Job, tmp_path: Path) -> None:
    _run(job, tmp_path)
    job.settings["second"] = 2
    job.before["second"] = _stop
    with pytest.raises(KeyboardInterrupt):
        _run(job, tmp_path)
    assert (tmp_path / "run/second/result.txt").read_text() == "second 1"
    job.before.clear()
    assert _run(job, tmp_path).reasons == {"second": "its settings changed"}
    assert (tmp_path / "run/second/result.txt").read_text() == "second 2"


@pytest.mark.parametrize(("restart", "left"), [("clean", False), ("resume", True)])
def test_a_working_folder_is_kept_only_to_resume_in(
    job: Job, tmp_path: Path, restart: Any, left: bool
) -> None:
    stages = (STAGES[0], _stage("second", ("first",), restart=restart))

    def half_way(folder: Path) -> None:
        (folder / "checkpoint").write_text("epoch 3")
        raise KeyboardInterrupt

    job.before["second"] = half_way
    with pytest.raises(KeyboardInterrupt):
        _run(job, tmp_path, stages)
    found: list[bool] = []
    job.before["second"] = lambda folder: found.append((folder / "checkpoint").exists())
    _run(job, tmp_path, stages)
    assert found == [left]
    assert list((tmp_path / "run/.work").iterdir()) == []


def test_killed_between_the_last_file_and_the_name(job: Job, tmp_path: Path) -> None:
    """The whole working folder is taken; the work is not done twice."""
    _run(job, tmp_path)
    final = tmp_path / "run/second"
    fingerprint = json.loads((final / "stage.json").read_text())["fingerprint"]
    final.rename(tmp_path / f"run/.work/second-{fingerprint[:16]}")
    seen = _run(job, tmp_path)
    assert seen.reused["second"] and job.worked == []
    assert (final / "result.txt").exists()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 99}'])
def test_a_damaged_record_is_ignored(job: Job, tmp_path: Path, damage: str) -> None:
    _run(job, tmp_path)
    (tmp_path / "run/second/stage.json").write_text(damage)
    assert _run(job, tmp_path).reasons == {"second": "not done yet"}


def test_an_unknown_stage_is_named_with_the_known(job: Job, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no stage 'third'; there are: first, second, aside"):
        run_stages(STAGES, job, tmp_path, until="third", observer=Seen())


def _stop(folder: Path) -> None:
    (folder / "half.txt").write_text("half")
    raise KeyboardInterrupt
