"""The evaluation stage: towers and baselines on the test queries, stored for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from recsys.errors import DataError
from recsys.evaluation import (
    Evaluation,
    PopularityScorer,
    RandomScorer,
    Scorer,
    evaluate,
    tune_item_knn,
)
from recsys.evaluation.published import FailedQuery, failed_queries
from recsys.evaluation.published.report import MAX_FAILURES
from recsys.evaluation.ranking import mask_scores, rank
from recsys.evaluation.sheets import UserSheet
from recsys.files import load_arrays, read_json, save_arrays, write_json
from recsys.pipeline.config import RunConfig
from recsys.pipeline.job import Job
from recsys.pipeline.scoring import towers_scorer
from recsys.pipeline.stage import StageOutput
from recsys.splits.query_digests import QueryDigests

WITH_TERMS = "two_tower_with_terms"
RESULTS, VALUES = "evaluations.json", "values.npz"
QUERIES, SETTINGS = "queries.npz", "settings.json"
_AGAIN = "'recsys evaluate CONFIG' writes it"
OTHER_SECTIONS = {"name", "index", "spaces", "serve"}
"""Keys of a configuration on which an evaluation does not depend."""
SHEET_ITEMS = 12
"""Number of recommended items on the sheet of a user."""


def run_evaluate(job: Job, out: Path) -> StageOutput:
    """Evaluate all scorers and write the files that the functions ``load_...`` read."""
    config = job.config.evaluation
    scorers, tuning = _scorers(job)
    evaluations = {
        scorer.name: evaluate(
            scorer,
            job.split,
            "test",
            ks=config.ks,
            seed=config.seed,
            resamples=config.resamples,
            progress=job.progress,
        )
        for scorer in scorers
    }
    values = {
        f"{name}/{metric}": column
        for name, each in evaluations.items()
        for metric, column in each.values.items()
    }
    save_arrays(out / VALUES, values)
    QueryDigests.from_queries(
        job.split.test,
        users=job.ingested.interactions.users,
        items=job.ingested.catalogue.ids,
        candidates=job.split.candidates,
    ).save(out / QUERIES)
    write_json(out / SETTINGS, evaluation_settings(job.config))
    sheets = [asdict(sheet) for sheet in _sheets(job, scorers[0], count=config.sheet_users)]
    failures = _failures(job, scorers[0], evaluations[scorers[0].name])
    results = {name: each.as_json() for name, each in evaluations.items()}
    content = {"evaluations": results, "sheets": sheets, "failures": list(map(asdict, failures))}
    write_json(out / RESULTS, content)
    figures = {
        f"{name}.{metric}": value
        for name, each in evaluations.items()
        for metric, value in each.figures.items()
    }
    notes = {"protocol": job.split.protocol, "item_knn_tuning": tuning}
    return StageOutput(figures | _oracle(job), notes)


def load_evaluations(folder: Path) -> dict[str, Evaluation]:
    """The evaluations by scorer, the model first."""
    values: dict[str, dict[str, Any]] = {}
    results = _load_results(folder)["evaluations"]
    for key, column in load_arrays(folder / VALUES).items():
        name, _, metric = key.partition("/")
        values.setdefault(name, {})[metric] = column
    return {
        name: Evaluation(
            name=name,
            values=values[name],
            intervals={metric: (low, high) for metric, (low, high) in found["intervals"].items()},
            **{key: found[key] for key in ("figures", "counts", "seconds")},
        )
        for name, found in results.items()
    }


def load_query_digests(folder: Path) -> QueryDigests:
    """Digests of the test queries, in the order of ``Evaluation.values``.

    Raises:
        DataError: They are missing, as where an earlier version evaluated, or damaged.
    """
    try:
        return QueryDigests.load(folder / QUERIES)
    except (OSError, ValueError) as error:
        raise DataError(f"{folder} holds no digests of its queries; {_AGAIN}") from error


def evaluation_settings(config: RunConfig) -> dict[str, Any]:
    """The configuration of a run without :data:`OTHER_SECTIONS`, as JSON values."""
    return config.model_dump(mode="json", exclude=OTHER_SECTIONS)


def load_settings(folder: Path) -> dict[str, Any]:
    """The :func:`evaluation_settings` of the evaluated run.

    Raises:
        DataError: They are missing or damaged.
    """
    try:
        settings: dict[str, Any] = read_json(folder / SETTINGS)
    except (OSError, ValueError) as error:
        raise DataError(f"{folder} holds no settings; {_AGAIN}") from error
    return settings


def load_sheets(folder: Path) -> list[UserSheet]:
    """Histories and recommendations of a few users."""
    return [UserSheet(**sheet) for sheet in _load_results(folder)["sheets"]]


def load_failures(folder: Path) -> list[FailedQuery]:
    """Failed queries of the model, the worst first; none of an evaluation before version 6."""
    return [FailedQuery(**each) for each in _load_results(folder).get("failures", [])]


def main_k(ks: Sequence[int]) -> int:
    """The k of the main figures: 10 if it was measured, else the smallest."""
    return 10 if 10 in ks else min(ks)


def _load_results(folder: Path) -> dict[str, Any]:
    try:
        results: dict[str, Any] = read_json(folder / RESULTS)
    except (OSError, ValueError) as error:
        raise DataError(f"{folder} holds no evaluation ({error}); {_AGAIN}") from error
    return results


def _scorers(job: Job) -> tuple[list[Scorer], Sequence[Mapping[str, float | None]]]:
    """The towers, also with search terms if there are any, then the baselines."""
    parts, config, known = job.split, job.config.evaluation, job.known_users
    scorers: list[Scorer] = [towers_scorer(job.towers, known=known, phrases=job.query_phrases)]
    if job.query_phrases is None and job.towers.terms_dimension and parts.test.terms.any():
        scorers.append(towers_scorer(job.towers, known=known, phrases=job.phrases, name=WITH_TERMS))
    tuning: Sequence[Mapping[str, float | None]] = ()
    for name in config.baselines:
        if name == "random":
            scorers.append(RandomScorer(len(job.ingested.catalogue), seed=config.seed))
        elif name == "popularity":
            scorers.append(PopularityScorer(parts.final))
        else:
            job.progress("tune item_knn", 0, 1)
            knn, tuning = tune_item_knn(
                parts.train, parts.validation, candidates=parts.candidates, k=config.ks[0]
            )
            job.progress("tune item_knn", 1, 1)
            scorers.append(knn if parts.final is parts.train else knn.refit(parts.final))
    return scorers, tuning


def _sheets(job: Job, scorer: Scorer, *, count: int) -> list[UserSheet]:
    """Sheets of users with at least three items in their history, drawn by the seed."""
    queries, users = job.split.test, job.ingested.interactions.users
    long = np.flatnonzero(queries.history_lengths >= 3)
    _, first = np.unique(queries.user[long], return_index=True)
    rng = np.random.default_rng(job.config.evaluation.seed)
    sheets = []
    for at in np.sort(rng.choice(long[first], min(count, len(first)), replace=False)):
        query = queries.slice(at, at + 1)
        scores = mask_scores(scorer.score(query), query, job.split.candidates, name=scorer.name)
        ranking = rank(scores, SHEET_ITEMS, query.target_rows, query.target_offsets)
        rows = ranking.rows[0][ranking.valid[0]]
        sheets.append(
            UserSheet(
                users.id(int(query.user[0])),
                history=query.history(0).tolist(),
                recommended=rows.tolist(),
                scores=scores[0, rows].tolist(),
                targets=query.targets(0).tolist(),
            )
        )
    return sheets


def _failures(job: Job, scorer: Scorer, found: Evaluation) -> list[FailedQuery]:
    """The worst failed queries of the model."""
    return failed_queries(
        scorer,
        job.split,
        found.values[f"hr@{main_k(job.config.evaluation.ks)}"] == 0,
        users=job.ingested.interactions.users,
        items=job.ingested.catalogue.ids,
        count=MAX_FAILURES,
        seed=job.config.evaluation.seed,
        progress=job.progress,
    )


def _oracle(job: Job) -> dict[str, float]:
    """The best figures that any ranking can reach, if the data's rule is known."""
    name = job.config.evaluation.oracle
    if name is None:
        return {}
    path = job.path(name)
    try:
        figures = read_json(path)["oracle"]
        return {f"oracle.{metric}": float(v) for metric, v in figures.items() if "@" in metric}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f'{path} must be JSON with figures under "oracle", as {{"oracle": {{"recall@10": '
            f"0.5}}}}; {type(error).__name__}: {error}"
        ) from error
