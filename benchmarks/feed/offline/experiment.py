"""Rankers of one data set and seed: trained on validation, scored once on the test.

The towers are trained on the training part. The rankers order the first items of the retrieval;
they are trained on the validation part, of which the last fifth chooses between epochs, trees,
scorers and weights of the blend. Statistics are renewed six times within a part, each time from
the log before the next queries; in a log of positions they are those of the training part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.feed.offline.datasets import trained_job
from benchmarks.feed.offline.oracle import oracle_lists
from benchmarks.feed.offline.scoring import score_test
from recsys.ids import Vectors
from recsys.pipeline import Job
from recsys.pipeline.rank_stage.requests import requests_of
from recsys.ranking import (
    FeatureSet,
    LinearScorer,
    RankerConfig,
    Reliability,
    Statistics,
    default_features,
)
from recsys.ranking.learning import TrainingTable, collect
from recsys.ranking.learning.training import (
    FittedScorer,
    choose_scale,
    fit_scorer,
    mean_ndcg,
    score_table,
)
from recsys.screen import Screen
from recsys.splits import HeldOutQueries

BLENDS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.1)
"""Weights of the logarithm of recent popularity, next to the towers' score."""
RENEWALS = 6
"""Number of times that the statistics are made within a part of the log."""
RETRIEVAL_RANK = "source.two_tower.rank"


def measure(folder: Path, work: Path, *, data_set: str, seed: int) -> dict[str, Any]:
    """Figures of every scorer and stage; networks are kept in ``folder`` while they are trained."""
    with Screen() as screen:
        job = trained_job(data_set, seed, work, screen)
        config = ranker_config(job, seed)
        table, later = tables(job, config)
        vectors = np.asarray(job.towers.item_vectors)
        fitted = fit_all(job, config, table, later, vectors, folder)
        best = max(fitted, key=lambda name: fitted[name].ndcg)
        blocks = renewed(job, config, job.split.test)
        result = score_test(job, config, blocks, fitted, best, vectors)
    order = -later.select((RETRIEVAL_RANK,)).values[:, 0]
    result["validation"] = {
        "retrieval": mean_ndcg(later, order),
        **{name: each.ndcg for name, each in fitted.items()},
    }
    result |= {"seed": seed, "chosen": best}
    result["reliability"] = reliability(fitted[best], later, vectors)
    if data_set == "sample":
        result["oracle"] = oracle_lists().figures()
    return result


def ranker_config(job: Job, seed: int) -> RankerConfig:
    """The configuration of the rankers, with this seed."""
    section = job.config.ranker
    assert section is not None
    return section.model_copy(
        update={
            "seed": seed,
            "train": section.train.model_copy(update={"seed": seed}),
            "trees": section.trees.model_copy(update={"seed": seed}),
        }
    )


def tables(job: Job, config: RankerConfig) -> tuple[TrainingTable, TrainingTable]:
    """Examples of the training, and of the choice."""
    queries = job.split.validation
    drawn = np.random.default_rng(config.seed).permutation(len(queries))[: config.requests]
    queries = queries.at(np.sort(drawn))
    parts: tuple[list[TrainingTable], list[TrainingTable]] = ([], [])
    last = int(len(queries) * (1 - config.choose_on))
    done = 0
    for features, block in renewed(job, config, queries):
        cut = min(max(last - done, 0), len(block))
        done += len(block)
        pieces = (block.slice(0, cut), block.slice(cut, len(block)))
        for part, piece, negatives in zip(parts, pieces, (config.negatives, None)):
            if len(piece):
                requests = requests_of(job, piece, candidates=config.candidates)
                seed = config.seed + done
                part.append(collect(requests, features, negatives=negatives, seed=seed))
        job.progress("examples", done, len(queries))
    return TrainingTable.joined(parts[0]), TrainingTable.joined(parts[1])


def renewed(
    job: Job, config: RankerConfig, queries: HeldOutQueries
) -> Iterator[tuple[FeatureSet, HeldOutQueries]]:
    """The queries in the order of time, in blocks, each with features from the log before it."""
    queries = queries.at(np.argsort(queries.time, kind="stable"))
    timed = job.ingested.interactions.clock == "timestamp"
    bounds = np.linspace(0, len(queries), (RENEWALS if timed else 1) + 1).astype(int).tolist()
    for low, high in zip(bounds, bounds[1:]):
        block = queries.slice(low, high)
        log, before = job.split.train, None
        if timed:
            log, before = job.ingested.interactions, int(block.time.min())
        statistics = Statistics.of(log, before=before, config=config.statistics)
        yield FeatureSet(default_features(("two_tower",)), statistics), block


def fit_all(
    job: Job,
    config: RankerConfig,
    table: TrainingTable,
    later: TrainingTable,
    vectors: Vectors,
    folder: Path,
) -> dict[str, FittedScorer]:
    """Every scorer, trained on ``table`` and chosen and calibrated on ``later``."""
    names: Sequence[Any] = ("logistic", "lightgbm", "dcn")
    fitted = {
        name: fit_scorer(
            table,
            later,
            config=config.model_copy(update={"scorer": name}),
            item_vectors=vectors,
            folder=folder / "dcn",
            progress=job.progress,
        )
        for name in names
    }
    members = [fitted[name].scorer for name in ("dcn", "lightgbm")]
    fitted["dcn+lightgbm"] = choose_scale(members, later, vectors)
    blends = [
        LinearScorer.of_weights({"source.two_tower.score": 1.0, "recent": weight})
        for weight in BLENDS
    ]
    found = [choose_scale([blend], later, vectors) for blend in blends]
    return fitted | {"blend": max(found, key=lambda each: each.ndcg)}


def reliability(fitted: FittedScorer, later: TrainingTable, vectors: Vectors) -> Mapping[str, Any]:
    """Predicted and observed shares of items that were taken."""
    probabilities = fitted.calibration.probability(score_table(fitted.scorer, later, vectors))
    groups = Reliability.of(probabilities, later.taken, later.weights)
    return {
        "predicted": groups.predicted.tolist(),
        "observed": groups.observed.tolist(),
        "error": groups.error,
    }
