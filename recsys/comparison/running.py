"""Open a comparison, bring its variants up to date one by one, and write its pages."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsys.comparison.config import ComparisonConfig, VariantConfig, load_comparison_config
from recsys.comparison.encoding import encoder_stage, encoding_requests
from recsys.comparison.evaluating import probe_task, variant_stage
from recsys.errors import ConfigError, RecsysError
from recsys.evaluation.record import record
from recsys.files import LOCK, lock, write_json
from recsys.pipeline import Job, Observer, StageResult
from recsys.pipeline.stage import SILENT, Stage, run_stages
from recsys.pipeline.stages import INGEST
from recsys.progress import Progress, silent

ENCODER_FIGURES = ("dimension", "build_seconds", "encode_seconds_per_1000", "size_mb")
"""Figures that are summed over a variant's encoders."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """A comparison in its folder.

    Attributes:
        config: Configuration of the comparison.
        job: Data, split and folder that all variants share.
    """

    config: ComparisonConfig
    job: Job


@dataclass(frozen=True)
class VariantResult:
    """Figures of a variant, or the reason why it failed.

    Attributes:
        config: The variant.
        figures: Figures by name; empty if it failed.
        failed: Reason of the failure, or "".
        seconds: Duration of its stages when they last ran.
    """

    config: VariantConfig
    figures: Mapping[str, float] = field(default_factory=dict)
    failed: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """One entry of the record's ``variants``."""
        return {
            "label": self.config.label,
            "name": self.config.slug,
            "scorer": self.config.scorer.name,
            "encoders": {kind: section.name for kind, section in self.config.encoders.items()},
            "settings": self.config.model_dump(mode="json", exclude={"label"}, exclude_none=True),
            "figures": dict(self.figures),
            "failed": self.failed or None,
            "seconds": round(self.seconds, 1),
        }


def open_comparison(config: Path, *, runs: Path, progress: Progress = silent) -> Comparison:
    """The comparison of a configuration file, in ``runs/NAME``; reads only the configuration.

    Args:
        config: TOML file; its relative paths start from its own folder.
        runs: Folder of all runs, which share ``runs/cache``.
        progress: Callback for progress.

    Raises:
        ConfigError: The file is missing, is not TOML, or does not fit.
    """
    loaded = load_comparison_config(config)
    job = Job.from_config(loaded.run, config.parent, runs=runs, progress=progress)
    return Comparison(loaded, job)


def compare(
    comparison: Comparison,
    *,
    command: str,
    observer: Observer = SILENT,
    again: Sequence[str] = (),
) -> dict[str, Any]:
    """Bring every variant up to date; write ``comparison.json``, ``.md``, ``.html`` and ``.png``.

    A variant that fails stays in the table with its reason, and the others continue.

    Args:
        comparison: The comparison.
        command: Command that reproduces it.
        observer: Observer of the stages.
        again: Names of variants to recompute with their encoders, even if they are up to date.

    Returns:
        The content of ``comparison.json``: a record with ``variants``, ``probes``, ``protocol``.

    Raises:
        ConfigError: Another run is active in the folder, or ``again`` has an unknown name.
        RecsysError: The data, the split or a probe's column cannot be used.
    """
    from recsys.comparison.pages import write_pages  # loads the plotting library

    config, job = comparison.config, comparison.job
    _check_names(again, [variant.slug for variant in config.all_variants])
    with lock(job.folder / LOCK, wait=False):
        finished: dict[str, StageResult] = {}
        run_stages((INGEST,), job, job.folder, until="ingest", observer=observer, finished=finished)
        tasks = {probe.column: probe_task(job, config, probe.column) for probe in config.probes}
        results = []
        for variant in config.all_variants:
            stages = _stages(config, variant)
            recompute = [stage.name for stage in stages[1:]] if variant.slug in again else []
            try:
                _, *done = run_stages(
                    stages,
                    job,
                    job.folder,
                    until=stages[-1].name,
                    observer=observer,
                    again=recompute,
                    finished=finished,
                )
            except Exception as error:  # a failed variant must not stop the others
                results.append(VariantResult(variant, failed=_reason(error)))
                continue
            seconds = sum(each.seconds for each in done)
            results.append(VariantResult(variant, _figures(done), seconds=seconds))
        content = record(
            name=config.name,
            command=command,
            seeds=sorted({config.seed, config.train.seed, config.evaluation.seed}),
            figures={
                f"{result.config.slug}.{name}": value
                for result in results
                for name, value in result.figures.items()
            },
            variants=[result.as_json() for result in results],
            k=config.evaluation.ks[0],
            probes={
                probe.name: {
                    **probe.model_dump(),
                    "items": len(tasks[probe.column].rows),
                    "values": len(tasks[probe.column].values),
                    "majority": tasks[probe.column].majority,
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
            raise ConfigError(f"there is no variant '{name}': {remedy}")


def _stages(config: ComparisonConfig, variant: VariantConfig) -> list[Stage[Job]]:
    encoders = [encoder_stage(request) for request in encoding_requests(config, variant)]
    return [INGEST, *encoders, variant_stage(config, variant)]


def _figures(done: Sequence[StageResult]) -> dict[str, float]:
    *encoders, last = done
    names = ENCODER_FIGURES if encoders else ()
    summed = {name: float(sum(each.figures[name] for each in encoders)) for name in names}
    return summed | dict(last.figures)


def _reason(error: Exception) -> str:
    return error.message if isinstance(error, RecsysError) else f"{type(error).__name__}: {error}"
