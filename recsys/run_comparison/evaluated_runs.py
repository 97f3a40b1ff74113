"""Runs that were evaluated, found by name, folder or configuration."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsys.errors import DataError, NotFoundError, suggestion
from recsys.evaluation import Evaluation
from recsys.pipeline import STAGE_NAMES, Job, open_job
from recsys.pipeline.evaluating import (
    evaluation_settings,
    load_evaluations,
    load_query_digests,
    load_settings,
)
from recsys.pipeline.stage import load_record
from recsys.splits.query_digests import QueryDigests

MODEL = "two_tower"


@dataclass(frozen=True, eq=False)
class EvaluatedRun:
    """The evaluation of one model of a run.

    Attributes:
        name: Name of the run.
        model: Name of the scorer that is compared.
        folder: Folder of the run.
        evaluation: Metrics of the model, also per query.
        queries: Digests of the test queries.
        settings: Settings of the run by dotted key, as they were at the evaluation.
        files: Fingerprint of the content of each input file, by name.
        seconds: Duration of each stage when it last ran.
        outdated: Keys of the configuration file that were changed since the evaluation.
    """

    name: str
    model: str
    folder: Path
    evaluation: Evaluation = field(repr=False)
    queries: QueryDigests = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)
    files: Mapping[str, str] = field(repr=False)
    seconds: Mapping[str, float]
    outdated: Sequence[str] = ()


def open_evaluated_run(run: str, *, runs: Path, model: str = MODEL) -> EvaluatedRun:
    """Open an evaluated run.

    Args:
        run: Name of a run in ``runs``, the folder of a run, or a run's configuration (``.toml``);
            with ``:MODEL`` at its end for another model than ``model``.
        runs: Folder of all runs.
        model: Name of the scorer: ``two_tower``, or a baseline such as ``item_knn``.

    Raises:
        NotFoundError: There is no such run, or it did not evaluate such a model.
        DataError: The run is not evaluated, or an earlier version evaluated it.
    """
    location, colon, own = run.rpartition(":")
    if colon and not Path(run).exists():
        run, model = location, own
    job = open_job(Path(run), runs=runs) if run.endswith(".toml") else None
    folder = _locate(run, runs) if job is None else job.folder
    evaluated = folder / "evaluate"
    command = f"recsys evaluate {'CONFIG' if job is None else run}"
    if load_record(evaluated) is None:
        raise DataError(f"run '{run}' is not evaluated yet; '{command}' does it")
    try:
        evaluations, queries = load_evaluations(evaluated), load_query_digests(evaluated)
        settings = load_settings(evaluated)
    except DataError:
        raise DataError(
            f"run '{run}' was evaluated by an earlier version, which did not store the test "
            f"queries; '{command}' evaluates again"
        ) from None
    if model not in evaluations:
        raise NotFoundError(
            f"run '{run}' evaluated no model '{model}'; it evaluated: {', '.join(evaluations)}"
            + suggestion(model, evaluations)
        )
    records = {name: load_record(folder / name) for name in STAGE_NAMES}
    return EvaluatedRun(
        name=folder.resolve().name,
        model=model,
        folder=folder,
        evaluation=evaluations[model],
        queries=queries,
        settings=dict(flatten(settings)),
        files={
            name: fingerprint
            for record in records.values()
            if record is not None
            for name, fingerprint in record["parts"]["inputs"].items()
        },
        seconds={name: record["seconds"] for name, record in records.items() if record is not None},
        outdated=() if job is None else _outdated(job, settings),
    )


def flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Values of nested tables by dotted key; a list is one value.

    Example:
        >>> dict(flatten({"seed": 3, "towers": {"dimension": 8}}))
        {'seed': 3, 'towers.dimension': 8}
    """
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _locate(run: str, runs: Path) -> Path:
    for folder in (runs / run, Path(run)):
        if run and folder.is_dir():
            return folder
    known = sorted(each.parent.parent.name for each in runs.glob("*/ingest/stage.json"))
    raise NotFoundError(
        f"there is no run '{run}' in {runs}{os.sep}; "
        + (f"runs: {', '.join(known)}" if known else "it holds no runs")
        + suggestion(run, known)
    )


def _outdated(job: Job, evaluated: Mapping[str, Any]) -> list[str]:
    """Keys of a configuration whose values differ from those that were evaluated."""
    before, now = dict(flatten(evaluated)), dict(flatten(evaluation_settings(job.config)))
    return [key for key in {**now, **before} if now.get(key) != before.get(key)]
