"""Open a run by its configuration, bring it up to date, and write its report."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recsys.features import USER_VECTORS
from recsys.files import LOCK, lock, read_json
from recsys.pipeline.config import load_run_config
from recsys.pipeline.evaluating import load_evaluations, load_sheets
from recsys.pipeline.job import KEPT_ENCODERS, Job
from recsys.pipeline.stage import Observer, StageResult, run_stages
from recsys.pipeline.stages import STAGES
from recsys.progress import Progress, silent

STAGE_NAMES = tuple(stage.name for stage in STAGES)


def open_job(config: Path, *, runs: Path, progress: Progress = silent) -> Job:
    """The run of a configuration file, in ``runs/NAME``; nothing is read or written yet.

    Args:
        config: The TOML file; its relative paths start from its own folder.
        runs: The folder that runs are kept in; they share ``runs/cache``.
        progress: Told how far the work is.

    Raises:
        ConfigError: The file is missing, is not TOML, or does not fit.
    """
    return Job.from_config(load_run_config(config), config.parent, runs=runs, progress=progress)


def run_job(
    job: Job, *, until: str, observer: Observer, again: Sequence[str] = ()
) -> list[StageResult]:
    """Bring the stage ``until`` and what it needs up to date; see :func:`run_stages`.

    Raises:
        ConfigError: Another run is at work in the same folder.
    """
    with lock(job.folder / LOCK, wait=False):
        if "encode" in again:  # the encoders that were trained on the catalogue, too
            shutil.rmtree(job.folder / KEPT_ENCODERS, ignore_errors=True)
        return run_stages(STAGES, job, job.folder, until=until, observer=observer, again=again)


def write_run_report(job: Job, done: Sequence[StageResult], *, command: str) -> dict[str, Any]:
    """Write ``report.json``, ``report.md`` and ``report.html`` into the run's folder.

    Args:
        job: A run that has been evaluated.
        done: Its stages; ``seconds`` is the sum of what each took when it was last done.
        command: How to do it again.

    Returns:
        What ``report.json`` holds.
    """
    from recsys.evaluation.report import Report, write_report  # loads the plotting library

    by_stage = {each.stage: each for each in done}
    further = {
        name: value
        for name, value in by_stage["evaluate"].figures.items()
        if name.startswith("oracle.")
    }
    index = by_stage["index"].figures if "index" in by_stage else {}
    further |= {f"index.{name}": value for name, value in index.items()}
    further["seconds"] = round(sum(each.seconds for each in done), 1)
    config = job.config
    report = Report(
        name=config.name,
        command=command,
        seeds=sorted({config.seed, config.train.seed, config.evaluation.seed}),
        evaluations=load_evaluations(job.folder / "evaluate"),
        protocol=job.split.protocol,
        figures=further,
        training=_training(job),
        ingest=by_stage["ingest"].notes["ingest"],
        words=by_stage["encode"].notes["words"] if "encode" in by_stage else {},
        exhibits=job.exhibits,
        sheets=load_sheets(job.folder / "evaluate"),
        catalogue=job.ingested.catalogue,
        notes=_notes(by_stage),
    )
    write_report(job.folder, report)
    written: dict[str, Any] = read_json(job.folder / "report.json")
    return written


def _training(job: Job) -> list[dict[str, float]]:
    """One line an epoch, without what was not measured."""
    epochs = read_json(job.folder / "train" / "epochs.json")
    names = {"number": "epoch"}
    return [
        {names.get(key, key): value for key, value in epoch.items() if value is not None}
        for epoch in epochs
    ]


def _notes(done: dict[str, StageResult]) -> list[str]:
    notes = [
        "The towers learn from the training part alone; the best epoch is the one with the best"
        " validation figure, and the test is scored once.",
        "seconds is the sum of what each stage took when it was last done.",
    ]
    for kind, faults in done["encode"].notes["unreadable"].items() if "encode" in done else ():
        if faults:
            first = faults[0]
            notes.append(
                f"{len(faults)} contents of kind {kind} could not be read and were left out, the"
                f" first that of item {first['item_id']}: {first['reason']}."
            )
    vectors = done["encode"].notes.get(USER_VECTORS) if "encode" in done else None
    if vectors is not None:
        notes.append(
            f"Vectors of users that were learned elsewhere are there for"
            f" {int(done['encode'].figures[f'{USER_VECTORS}.users']):,} users and missing for"
            f" {vectors['users_without']:,}; {vectors['not_in_the_log']:,} belong to users who are"
            " not in the log and were left out."
        )
    return notes
