"""Open a comparison, bring its variants up to date one by one, and write its pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.comparison.config import ComparisonConfig, VariantConfig, load_comparison_config
from recsys.comparison.encoding import encoder_stage, encoding_requests
from recsys.comparison.evaluating import probe_task, variant_stage
from recsys.errors import ConfigError, RecsysError, suggestion
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
    """A configuration, and the job with the data, split and folder that all variants share."""

    config: ComparisonConfig
    job: Job


def open_comparison(config: Path, *, runs: Path, progress: Progress = silent) -> Comparison:
    """The comparison of a configuration file; see :func:`recsys.pipeline.open_job`."""
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
    known = [variant.slug for variant in config.all_variants]
    for name in again:
        if name not in known:
            remedy = suggestion(name, known) or f"; there are: {', '.join(known)}"
            raise ConfigError(f"there is no variant '{name}'{remedy}")
    with lock(job.folder / LOCK, wait=False):
        finished: dict[str, StageResult] = {}
        run_stages((INGEST,), job, job.folder, until="ingest", observer=observer, finished=finished)
        tasks = {probe.column: probe_task(job, config, probe.column) for probe in config.probes}
        entries = [
            _entry(comparison, variant, observer, again, finished)
            for variant in config.all_variants
        ]
        content = record(
            name=config.name,
            command=command,
            seeds=sorted({config.seed, config.train.seed, config.evaluation.seed}),
            figures={
                f"{entry['name']}.{name}": value
                for entry in entries
                for name, value in entry["figures"].items()
            },
            variants=entries,
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


def _entry(
    comparison: Comparison,
    variant: VariantConfig,
    observer: Observer,
    again: Sequence[str],
    finished: dict[str, StageResult],
) -> dict[str, Any]:
    """The record's entry of a variant: its figures, or the reason why it failed."""
    config, job = comparison.config, comparison.job
    encoders = [encoder_stage(request) for request in encoding_requests(config, variant)]
    last = variant_stage(config, variant)
    stages: list[Stage[Job]] = [INGEST, *encoders, last]
    recompute = [stage.name for stage in stages[1:]] if variant.slug in again else []
    options: Any = {"observer": observer, "again": recompute, "finished": finished}
    figures: dict[str, float] = {}
    done: Sequence[StageResult] = ()
    failed = None
    try:
        _, *done = run_stages(stages, job, job.folder, until=last.name, **options)
    except RecsysError as error:
        failed = error.message
    except Exception as error:  # a failed variant must not stop the others
        failed = f"{type(error).__name__}: {error}"
    else:
        for name in ENCODER_FIGURES if encoders else ():
            figures[name] = float(sum(each.figures[name] for each in done[:-1]))
        figures |= done[-1].figures
    return {
        "label": variant.label,
        "name": variant.slug,
        "scorer": variant.scorer.name,
        "encoders": {kind: section.name for kind, section in variant.encoders.items()},
        "settings": variant.model_dump(mode="json", exclude={"label"}, exclude_none=True),
        "figures": figures,
        "failed": failed,
        "seconds": round(sum(each.seconds for each in done), 1),
    }
