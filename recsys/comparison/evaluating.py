"""The evaluation stage of a comparison: probe a variant's vectors and evaluate its scorers."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from recsys.comparison.config import ComparisonConfig, Kind, VariantConfig
from recsys.comparison.encoding import BLOCK, encoding_requests
from recsys.comparison.linear_probes import ProbeTask, run_probe
from recsys.comparison.scoring import FACTORIES, SLICES, ScoringInput
from recsys.evaluation import Evaluation
from recsys.features import FeatureBlock, category_values
from recsys.pipeline import Job
from recsys.pipeline.stage import Stage, StageOutput

SHARED = {"seed", "split", "towers", "train", "train_users", "evaluation", "probes"}


def variant_stage(config: ComparisonConfig, variant: VariantConfig) -> Stage[Job]:
    """The stage of a variant, ``variant_SLUG``, with these figures:

    - ``probe.COLUMN.KIND.accuracy`` and ``.auc``,
    - ``USAGE.warm.recall@k`` and ``USAGE.cold.recall@k`` for each usage of the vectors, and their
      95% intervals, ``.low`` and ``.high``.
    """
    requests = encoding_requests(config, variant)

    def run(job: Job, out: Path) -> StageOutput:
        blocks = {
            request.kind: FeatureBlock.load(job.folder / request.stage_name / BLOCK)
            for request in requests
        }
        figures = _probe_figures(job, config, blocks)
        inputs = ScoringInput(job, config, variant, blocks, out / "training")
        for usage, scorer in FACTORIES[variant.scorer.name](inputs):
            resamples = config.evaluation.resamples
            found = inputs.evaluate(
                scorer, job.split.test, resamples=resamples, progress=job.progress
            )
            figures |= _recall_figures(usage, found)
        shutil.rmtree(out / "training", ignore_errors=True)
        return StageOutput(figures)

    return Stage(
        f"variant_{variant.slug}",
        ("ingest", *(request.stage_name for request in requests)),
        3,
        settings=lambda job: {
            **config.model_dump(mode="json", include=SHARED),
            "variant": variant.model_dump(mode="json", exclude={"label"}),
        },
        run=run,
        restart="resume",
    )


def probe_task(job: Job, config: ComparisonConfig, column: str) -> ProbeTask:
    """The probe of a column, the same for every variant.

    Raises:
        DataError: The column has too few frequent values.
    """
    catalogue, settings = job.ingested.catalogue, config.evaluation
    values = category_values(catalogue.table, column, catalogue.fields.separator)
    return ProbeTask.of(
        values, min_items=settings.min_items, folds=settings.folds, seed=settings.seed
    )


def _probe_figures(
    job: Job, config: ComparisonConfig, blocks: Mapping[Kind, FeatureBlock]
) -> dict[str, float]:
    figures = {}
    probes = [probe for probe in config.probes if probe.encoder in blocks]
    for done, probe in enumerate(probes, start=1):
        result = run_probe(probe_task(job, config, probe.column), blocks[probe.encoder].vectors)
        figures[f"probe.{probe.name}.accuracy"] = result.accuracy
        figures[f"probe.{probe.name}.auc"] = result.auc
        job.progress("probe", done, len(probes), probe.name)
    return figures


def _recall_figures(usage: str, result: Evaluation) -> dict[str, float]:
    figures = {}
    for name, metric in SLICES.items():
        for found, value in result.figures.items():
            if found.startswith(f"{metric}@"):
                shown = f"{usage}.{name}.recall@{found.split('@')[1]}"
                figures[shown] = value
                figures[f"{shown}.low"], figures[f"{shown}.high"] = result.intervals[found]
    return figures
