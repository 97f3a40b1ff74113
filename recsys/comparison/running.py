"""Open a comparison, bring its rows up to date one after the other, and write its pages."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsys.comparison.config import ComparisonConfig, VariantConfig, load_comparison_config
from recsys.comparison.encoding import encoder_stage
from recsys.comparison.evaluating import asked_of, question_of, row_stage
from recsys.errors import ConfigError, RecsysError
from recsys.evaluation.record import record
from recsys.files import LOCK, lock, write_json
from recsys.pipeline import Job, Observer, StageResult
from recsys.pipeline.stage import Stage, run_stages
from recsys.pipeline.stages import INGEST
from recsys.progress import Progress, silent

OF_ENCODERS = ("dimension", "build_seconds", "encode_seconds_per_1000", "size_mb")
"""Figures that add up over a row's encoders."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """A comparison in its folder.

    Attributes:
        config: What is compared.
        job: The data, the split and the folder that all rows share.
    """

    config: ComparisonConfig
    job: Job


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        config: What was asked for.
        figures: By name; empty where it failed.
        failed: Why there are no figures; "" where there are.
        seconds: What its stages took when they were last done.
    """

    config: VariantConfig
    figures: Mapping[str, float] = field(default_factory=dict)
    failed: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """One entry of the record's ``rows``."""
        encoders = {kind: section.name for kind, section in self.config.encoders.items()}
        return {
            "label": self.config.label,
            "name": self.config.slug,
            "scorer": self.config.scorer.name,
            "encoders": encoders,
            "settings": self.config.model_dump(mode="json", exclude={"label"}, exclude_none=True),
            "figures": dict(self.figures),
            "failed": self.failed or None,
            "seconds": round(self.seconds, 1),
        }


def open_comparison(config: Path, *, runs: Path, progress: Progress = silent) -> Comparison:
    """The comparison of a configuration file, in ``runs/NAME``; nothing is read or written yet.

    Args:
        config: The TOML file; its relative paths start from its own folder.
        runs: The folder that runs are kept in; they share ``runs/cache``.
        progress: Told how far the work is.

    Raises:
        ConfigError: The file is missing, is not TOML, or does not fit.
    """
    loaded = load_comparison_config(config)
    job = Job.from_config(loaded.run, config.parent, runs=runs, progress=progress)
    return Comparison(loaded, job)


def compare(
    comparison: Comparison, *, command: str, observer: Observer, again: Sequence[str] = ()
) -> dict[str, Any]:
    """Bring every row up to date, and write ``comparison.json``, ``.md``, ``.html`` and ``.png``.

    A row that fails is kept in the table with its reason, and the others go on.

    Args:
        comparison: What to compare.
        command: How to do it again.
        observer: Told of every stage, once.
        again: Names of rows to do anew even where they still stand, their encoders too.

    Returns:
        What ``comparison.json`` holds: the record form, ``rows``, ``probes`` and ``protocol``.

    Raises:
        ConfigError: Another run is at work in the same folder, or ``again`` names no row.
        RecsysError: What all rows need cannot be had: the data, the split, a probe's column.
    """
    from recsys.comparison.pages import write_pages  # loads the plotting library

    config, job = comparison.config, comparison.job
    _check_names(again, [row.slug for row in config.every_variant])
    with lock(job.folder / LOCK, wait=False):
        told = _Once(observer)
        run_stages((INGEST,), job, job.folder, until="ingest", observer=told)
        questions = {
            probe.column: question_of(job, config, probe.column) for probe in config.probes
        }
        rows = [_row(comparison, row, told, again) for row in config.every_variant]
        content = record(
            name=config.name,
            command=command,
            seeds=sorted({config.seed, config.train.seed, config.evaluation.seed}),
            figures={
                f"{row.config.slug}.{name}": value
                for row in rows
                for name, value in row.figures.items()
            },
            rows=[row.as_json() for row in rows],
            k=config.evaluation.ks[0],
            probes={
                probe.name: {
                    "column": probe.column,
                    "of": probe.of,
                    "items": len(questions[probe.column].rows),
                    "values": len(questions[probe.column].values),
                    "majority": questions[probe.column].majority,
                }
                for probe in config.probes
            },
            protocol=job.split.protocol,
            train_users=config.train_users,
        )
        write_json(job.folder / "comparison.json", content)
        write_pages(job.folder, content)
    return content


def _check_names(again: Sequence[str], known: Sequence[str]) -> None:
    for name in again:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known)}"
            raise ConfigError(f"there is no row '{name}' to do anew: {remedy}")


def _row(
    comparison: Comparison, row: VariantConfig, observer: Observer, again: Sequence[str]
) -> Row:
    config, job = comparison.config, comparison.job
    encoders = [encoder_stage(each) for each in asked_of(config, row)]
    last = row_stage(config, row)
    stages: list[Stage[Job]] = [INGEST, *encoders, last]
    anew = [stage.name for stage in stages[1:]] if row.slug in again else []
    try:
        done = run_stages(stages, job, job.folder, until=last.name, observer=observer, again=anew)
    except Exception as error:  # One row's fault, whatever it is, must not cost the others.
        return Row(row, failed=_reason(error))
    return Row(row, _figures(done[1:]), seconds=sum(each.seconds for each in done[1:]))


def _figures(done: Sequence[StageResult]) -> dict[str, float]:
    *encoders, last = done
    figures = {
        name: float(sum(each.figures[name] for each in encoders))
        for name in OF_ENCODERS
        if encoders
    }
    return figures | dict(last.figures)


def _reason(error: Exception) -> str:
    if isinstance(error, RecsysError):
        return error.message
    return f"{type(error).__name__}: {error}"


class _Once:
    """An observer that is told of each stage the first time only."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._seen: set[str] = set()

    def starting(self, stage: str, reason: str) -> None:
        self._observer.starting(stage, reason)

    def finished(self, done: StageResult) -> None:
        if done.stage not in self._seen:
            self._observer.finished(done)
        self._seen.add(done.stage)
