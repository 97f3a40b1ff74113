"""Open a run by its configuration, bring it up to date, and write its report."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recsys.config import read_toml
from recsys.errors import ConfigError
from recsys.features import USER_VECTORS
from recsys.files import LOCK, lock, read_json, write_toml
from recsys.pipeline.data_report import data_lines
from recsys.pipeline.defaults.partial import PartialConfig
from recsys.pipeline.evaluating import load_evaluations, load_sheets
from recsys.pipeline.job import TRAINED_ENCODERS, Job
from recsys.pipeline.sections import rebase_paths
from recsys.pipeline.stage import SILENT, Observer, StageResult, run_stages
from recsys.pipeline.stages import RANK, RANKED_STAGES, STAGES
from recsys.pipeline.training import training_curve
from recsys.progress import Progress, silent

STAGE_NAMES = tuple(stage.name for stage in RANKED_STAGES)
CONFIG = "config.toml"
NOTES = (
    "The towers are trained on the training part; the epoch is selected on validation, and the test"
    " is scored once.",
    "seconds is the sum of the durations of all stages when they last ran.",
)


def open_job(
    config: Path,
    *,
    runs: Path,
    overrides: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> Job:
    """The run of a configuration file, in ``runs/NAME``; reads only the configuration.

    Relative paths in the file start from its own folder; all runs share ``runs/cache``. Sections
    that it leaves out are chosen from the data; ``overrides`` as in :class:`PartialConfig`.
    """
    given = PartialConfig(read_toml(config), overrides or {}, source=str(config))
    return Job.from_config(given, config.parent, runs=runs, progress=progress)


def run_job(
    job: Job, *, until: str, observer: Observer = SILENT, again: Sequence[str] = ()
) -> list[StageResult]:
    """Bring the stage ``until`` and those that it needs up to date; see :func:`run_stages`.

    Choices made from the data are reported to ``observer``; the complete configuration is written
    to ``config.toml`` in the run's folder, from where ``recsys run`` reads it, too.

    Raises:
        ConfigError: Another run is active in the same folder, or ``until`` is "rank" in a run
            without a ranker.
    """
    stages = STAGES if job.given.ranker is None else RANKED_STAGES
    if until == RANK.name and stages is STAGES:
        raise ConfigError("the run has no ranker: add a section [ranker]", field="ranker")
    with lock(job.folder / LOCK, wait=False):
        if "encode" in again:  # including encoders trained on the catalogue
            shutil.rmtree(job.folder / TRAINED_ENCODERS, ignore_errors=True)
        done: dict[str, StageResult] = {}
        again = list(again)
        for last in dict.fromkeys(("ingest", until)):
            results = run_stages(
                stages, job, job.folder, until=last, observer=observer, again=again, finished=done
            )
            if last == "ingest":
                again = [name for name in again if name != "ingest"]
                _record_choices(job, observer)
        return results


def _record_choices(job: Job, observer: Observer) -> None:
    for choice in job.choices:
        observer.chosen(choice)
    values = rebase_paths(job.values, old=job.base, new=job.folder.resolve())
    lines = [f"Configuration of the run '{job.config.name}'; paths start from this folder."]
    if job.choices:
        lines += ["Chosen from the data:", *(f"  {choice}" for choice in job.choices)]
    write_toml(job.folder / CONFIG, values, comment="\n".join(lines))


def write_run_report(job: Job, results: Sequence[StageResult], *, command: str) -> dict[str, Any]:
    """Write the report of an evaluated run; returns the content of ``report.json``."""
    from recsys.evaluation.report import Report, write_report  # loads the plotting library

    by_stage = {each.stage: each for each in results}
    evaluated, encoded, config = by_stage["evaluate"], by_stage["encode"], job.config
    figures = {k: value for k, value in evaluated.figures.items() if k.startswith("oracle.")}
    if "index" in by_stage:
        figures |= {f"index.{name}": value for name, value in by_stage["index"].figures.items()}
    figures["seconds"] = round(sum(each.seconds for each in results), 1)
    report = Report(
        name=config.name,
        command=command,
        seeds=sorted({config.seed, config.train.seed, config.evaluation.seed}),
        evaluations=load_evaluations(job.folder / "evaluate"),
        protocol=job.split.protocol,
        figures=figures,
        training=training_curve(job),
        data=data_lines(results),
        ingest=by_stage["ingest"].notes["ingest"],
        words=encoded.notes["words"],
        illustrations=job.illustrations,
        sheets=load_sheets(job.folder / "evaluate"),
        catalogue=job.ingested.catalogue,
        index=by_stage["index"].notes.get("facts", {}) if "index" in by_stage else {},
        notes=[*NOTES, *job.split.notes, *_choice_notes(job), *_encoding_notes(encoded)],
        feed=_evaluated_feed(job, by_stage),
    )
    return write_report(job.folder, report)


def _evaluated_feed(job: Job, results: Mapping[str, StageResult]) -> Mapping[str, Any]:
    """The evaluation of the feed of the published bundle; empty if there is none."""
    from recsys.feed.evaluation import FIGURES

    file = job.folder / FIGURES
    if "publish" not in results or not file.is_file():
        return {}
    found: Mapping[str, Any] = read_json(file)
    return found if found["bundle_version"] == results["publish"].notes["version"] else {}


def _choice_notes(job: Job) -> list[str]:
    return [f"Chosen from the data: {choice}." for choice in job.choices]


def _encoding_notes(encoded: StageResult) -> list[str]:
    vectors = encoded.notes.get(USER_VECTORS)
    if vectors is None:
        return []
    return [
        f"External user vectors exist for {int(encoded.figures[f'{USER_VECTORS}.users']):,}"
        f" users and are missing for {vectors['users_without']:,};"
        f" {vectors['not_in_the_log']:,} vectors of users outside the log were left out."
    ]
