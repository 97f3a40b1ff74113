"""The stage of one row: probe its vectors, and judge every scorer that is made of them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recsys.comparison.config import ComparisonConfig, Kind, VariantConfig
from recsys.comparison.encoding import BLOCK, Asked, asked_by
from recsys.comparison.linear_probes import Question, ask
from recsys.comparison.scoring import FACTORIES, SLICES, Material
from recsys.features import FeatureBlock, category_values
from recsys.pipeline import Job
from recsys.pipeline.stage import Stage, StageOutput

SHARED = ("seed", "split", "towers", "train", "train_users", "evaluation", "probes")


def row_stage(config: ComparisonConfig, row: VariantConfig) -> Stage[Job]:
    """The stage of a row, named ``row_SLUG``; its figures:

    - ``probe.COLUMN.KIND.accuracy`` and ``.auc``,
    - ``COLUMN.warm.recall@k`` and ``COLUMN.cold.recall@k`` for each column that the row fills, and
      their 95% intervals, ``.low`` and ``.high``.
    """
    asked = asked_of(config, row)

    def run(job: Job, out: Path) -> StageOutput:
        folders = {each.kind: job.folder / each.stage_name for each in asked}
        blocks = {kind: FeatureBlock.load(folder / BLOCK) for kind, folder in folders.items()}
        figures = _probed(job, config, blocks)
        material = Material(job, config, row, blocks, out / "training")
        for column, scorer in FACTORIES[row.scorer.name](material):
            found = material.judge(
                scorer,
                job.split.test,
                resamples=config.evaluation.resamples,
                progress=job.progress,
            )
            figures |= _shown(column, found.figures, found.intervals)
        shutil.rmtree(out / "training", ignore_errors=True)
        return StageOutput(figures)

    return Stage(
        f"row_{row.slug}",
        ("ingest", *(each.stage_name for each in asked)),
        2,
        settings=lambda job: _settings(config, row),
        inputs=lambda job: {},
        run=run,
        restart="resume",
    )


def asked_of(config: ComparisonConfig, row: VariantConfig) -> list[Asked]:
    """The encoders that a row needs."""
    return asked_by(row, text=config.data.fields.text, timed=config.evaluation.timed)


def question_of(job: Job, config: ComparisonConfig, column: str) -> Question:
    """What probes ask about a column, the same for every row.

    Raises:
        DataError: The column has too few values that are often enough.
    """
    catalogue, judging = job.ingested.catalogue, config.evaluation
    values = category_values(catalogue.table, column, catalogue.fields.separator)
    return Question.of(values, least=judging.least, folds=judging.folds, seed=judging.seed)


def _settings(config: ComparisonConfig, row: VariantConfig) -> Mapping[str, Any]:
    shared = config.model_dump(mode="json", include=set(SHARED))
    return {**shared, "row": row.model_dump(mode="json", exclude={"label"})}


def _probed(
    job: Job, config: ComparisonConfig, blocks: Mapping[Kind, FeatureBlock]
) -> dict[str, float]:
    figures = {}
    probes = [probe for probe in config.probes if probe.of in blocks]
    for done, probe in enumerate(probes):
        job.progress("probe", done, len(probes), probe.name)
        answer = ask(question_of(job, config, probe.column), blocks[probe.of].vectors)
        figures[f"probe.{probe.name}.accuracy"] = answer.accuracy
        figures[f"probe.{probe.name}.auc"] = answer.auc
    if probes:
        job.progress("probe", len(probes), len(probes))
    return figures


def _shown(
    column: str, found: Mapping[str, float], intervals: Mapping[str, Sequence[float]]
) -> dict[str, float]:
    figures = {}
    for name, metric in SLICES.items():
        for each in (figure for figure in found if figure.startswith(f"{metric}@")):
            shown = f"{column}.{name}.recall@{each.split('@')[1]}"
            figures[shown] = found[each]
            if each in intervals:
                figures[f"{shown}.low"], figures[f"{shown}.high"] = intervals[each]
    return figures
