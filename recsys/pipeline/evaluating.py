"""The stage that judges: towers and baselines on the test queries, once, kept for the report."""

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
from recsys.evaluation.ranking import mask_scores, rank
from recsys.evaluation.sheets import UserSheet
from recsys.files import load_arrays, read_json, save_arrays, write_json
from recsys.ids import IdMap
from recsys.pipeline.job import Job
from recsys.pipeline.scoring import towers_scorer
from recsys.pipeline.stage import StageOutput
from recsys.splits import HeldOut

MODEL = "two_tower"
WITH_TERMS = "two_tower_with_terms"
JUDGED, VALUES = "judged.json", "values.npz"


def run_evaluate(job: Job, out: Path) -> StageOutput:
    """Judge all scorers; write what :func:`load_evaluations` and :func:`load_sheets` read."""
    parts, config = job.split, job.config.evaluation
    scorers, tuned = _scorers(job)
    evaluations = {}
    for scorer in scorers:
        evaluations[scorer.name] = evaluate(
            scorer,
            parts.test,
            candidates=parts.candidates,
            item_counts=parts.final.item_counts,
            ks=config.ks,
            seed=config.seed,
            resamples=config.resamples,
            progress=job.progress,
        )
    sheets = _sheets(job, scorers[0], count=config.sheet_users)
    _save(out, evaluations, sheets)
    figures = {
        f"{name}.{metric}": value
        for name, each in evaluations.items()
        for metric, value in each.figures.items()
    }
    notes = {"protocol": parts.protocol, "item_knn_tuning": tuned}
    return StageOutput(figures | _oracle(job), notes)


def load_evaluations(folder: Path) -> dict[str, Evaluation]:
    """The evaluations, the model's first.

    Raises:
        DataError: The folder does not hold them.
    """
    kept = _kept(folder)
    values = load_arrays(folder / VALUES)
    return {
        name: Evaluation(
            name,
            each["figures"],
            {metric: (low, high) for metric, (low, high) in each["intervals"].items()},
            each["counts"],
            {metric: values[f"{name}/{metric}"] for metric in each["values"]},
            each["seconds"],
        )
        for name, each in kept["evaluations"].items()
    }


def load_sheets(folder: Path) -> list[UserSheet]:
    """A few users with what they met and what the towers recommend.

    Raises:
        DataError: The folder does not hold them.
    """
    return [UserSheet(**sheet) for sheet in _kept(folder)["sheets"]]


def _scorers(job: Job) -> tuple[list[Scorer], Sequence[Mapping[str, float | None]]]:
    """The towers first; with search terms beside where there are any; then the baselines."""
    parts, config = job.split, job.config.evaluation
    known = job.known_users
    asked = job.query_phrases
    scorers: list[Scorer] = [towers_scorer(job.towers, known=known, phrases=asked)]
    if asked is None and job.towers.terms_dimension and parts.test.terms.any():
        scorers.append(towers_scorer(job.towers, known=known, phrases=job.phrases, name=WITH_TERMS))
    tuned: Sequence[Mapping[str, float | None]] = ()
    for name in config.baselines:
        if name == "random":
            scorers.append(RandomScorer(len(job.ingested.catalogue), seed=config.seed))
        elif name == "popularity":
            scorers.append(PopularityScorer(parts.final))
        else:
            job.progress("tune item_knn", 0, 1)
            knn, tuned = tune_item_knn(
                parts.train, parts.validation, candidates=parts.candidates, k=config.ks[0]
            )
            job.progress("tune item_knn", 1, 1)
            scorers.append(knn if parts.final is parts.train else knn.refit(parts.final))
    return scorers, tuned


def _sheets(job: Job, scorer: Scorer, *, count: int, places: int = 12) -> list[UserSheet]:
    """Test queries of different users with a history, drawn by the seed."""
    queries, users = job.split.test, job.ingested.interactions.users
    long = np.flatnonzero(queries.history_lengths >= 3)
    _, first = np.unique(queries.user[long], return_index=True)
    rng = np.random.default_rng(job.config.evaluation.seed)
    drawn = rng.choice(long[first], min(count, len(first)), replace=False)
    chosen = queries.at(np.sort(drawn))
    if not len(chosen):
        return []
    return [
        _sheet(job, scorer, chosen.slice(at, at + 1), users, places) for at in range(len(chosen))
    ]


def _sheet(job: Job, scorer: Scorer, query: HeldOut, users: IdMap, places: int) -> UserSheet:
    scores = mask_scores(scorer.score(query), query, job.split.candidates, name=scorer.name)
    ranking = rank(
        scores, places, target_rows=query.target_rows, target_offsets=query.target_offsets
    )
    rows = ranking.rows[0][ranking.valid[0]]
    return UserSheet(
        users.id(int(query.user[0])),
        history=query.history(0).tolist(),
        recommended=rows.tolist(),
        scores=scores[0, rows].tolist(),
        targets=query.targets(0).tolist(),
    )


def _oracle(job: Job) -> dict[str, float]:
    """The best figures that can be reached, where the data's rule is known."""
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


def _save(out: Path, evaluations: Mapping[str, Evaluation], sheets: Sequence[UserSheet]) -> None:
    values = {
        f"{name}/{metric}": column
        for name, each in evaluations.items()
        for metric, column in each.values.items()
    }
    save_arrays(out / VALUES, values)
    content = {
        "evaluations": {
            name: {
                "figures": dict(each.figures),
                "intervals": {metric: list(pair) for metric, pair in each.intervals.items()},
                "counts": dict(each.counts),
                "values": list(each.values),
                "seconds": each.seconds,
            }
            for name, each in evaluations.items()
        },
        "sheets": [asdict(sheet) for sheet in sheets],
    }
    write_json(out / JUDGED, content)


def _kept(folder: Path) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = read_json(folder / JUDGED)
    except (OSError, ValueError) as error:
        raise DataError(f"{folder} holds no evaluation ({error}); evaluate again") from error
    return kept
