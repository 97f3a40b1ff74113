"""Rankers of one data set and seed: trained on validation, scored once on the test.

The towers are trained on the training part. The rankers order the first items of the retrieval;
they are trained on the validation part, of which the last fifth chooses between epochs, trees,
scorers, weights and the discount of popular items. Statistics are renewed six times within a part,
each time from the log before the next queries; in a log of positions they are those of the training
part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.feed.offline.datasets import trained_job
from benchmarks.feed.offline.measures import K
from benchmarks.feed.offline.oracle import oracle_lists
from benchmarks.feed.offline.scoring import TableScores, score_test
from recsys.ids import Vectors
from recsys.pipeline import Job
from recsys.pipeline.rank_stage.requests import requests_of
from recsys.ranking import (
    EnsembleScorer,
    FeatureSet,
    LinearScorer,
    PlattCalibration,
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
)
from recsys.screen import Screen
from recsys.splits import HeldOutQueries

BLENDS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.1)
"""Weights of the logarithm of recent popularity, next to the towers' score."""
SHARES = (0.5, 0.6, 0.7, 0.8)
"""Shares of two networks of different seeds in the weighted sum with LightGBM."""
DISCOUNTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
COVERAGE = 0.95
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
        scores = TableScores(later, vectors)
        fitted = fit_all(job, config, table, scores, vectors, folder)
        best = max(fitted, key=lambda name: fitted[name].ndcg)
        fitted["feed"] = discounted(fitted[best], scores)
        blocks = renewed(job, config, job.split.test)
        result = score_test(job, config, blocks, fitted, vectors)
    order = -later.select((RETRIEVAL_RANK,)).values[:, 0]
    result["validation"] = {
        "retrieval": mean_ndcg(later, order),
        **{name: each.ndcg for name, each in fitted.items()},
    }
    result |= {"seed": seed, "chosen": best}
    result["reliability"] = reliability(fitted["feed"], scores)
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
    scores: TableScores,
    vectors: Vectors,
    folder: Path,
) -> dict[str, FittedScorer]:
    """Every scorer, trained on ``table``, and chosen and calibrated on that of ``scores``."""

    def fit(name: str, seed: int = config.train.seed) -> FittedScorer:
        train = config.train.model_copy(update={"seed": seed})
        own = config.model_copy(update={"scorer": name, "train": train})
        return fit_scorer(
            table,
            scores.table,
            config=own,
            item_vectors=vectors,
            folder=folder / f"{name}-{seed}",
            progress=job.progress,
        )

    fitted = {name: fit(name) for name in ("logistic", "lightgbm", "dcn")}
    networks = (fitted["dcn"], fit("dcn", config.train.seed + 100))
    weighted = [
        weighted_scores([*networks, fitted["lightgbm"]], (share / 2, share / 2, 1 - share), scores)
        for share in SHARES
    ]
    blends = [
        LinearScorer.of_weights({"source.two_tower.score": 1.0, "recent": weight})
        for weight in BLENDS
    ]
    found = [choose_scale([blend], scores.table, vectors) for blend in blends]
    fitted["dcn+lightgbm"] = max(weighted, key=lambda each: each.ndcg)
    return fitted | {"blend": max(found, key=lambda each: each.ndcg)}


def weighted_scores(
    fitted: Sequence[FittedScorer],
    weights: Sequence[float],
    scores: TableScores,
) -> FittedScorer:
    """The weighted sum of log-odds, calibrated."""
    scales = [each.calibration.slope * weight for each, weight in zip(fitted, weights)]
    scorer = EnsembleScorer(tuple(each.scorer for each in fitted), tuple(scales))
    later, found = scores.table, scores.of(scorer)
    calibration = PlattCalibration.fit(found, later.taken, later.weights)
    return FittedScorer(scorer, calibration, mean_ndcg(later, found))


def discounted(best: FittedScorer, scores: TableScores) -> FittedScorer:
    """The log-odds minus a part of the logarithm of popularity, the smallest that is enough.

    It is enough if the first ten items of all requests hold ``COVERAGE`` times as many distinct
    items as those of the order of retrieval.
    """
    popularity = FittedScorer(LinearScorer.of_weights({"popularity": 1.0}), PlattCalibration(), 0.0)
    later = scores.table
    order = -later.select((RETRIEVAL_RANK,)).values[:, 0]
    needed = COVERAGE * distinct_items(later, order)
    for discount in DISCOUNTS:
        found = weighted_scores([best, popularity], (1.0, -discount), scores)
        if distinct_items(later, scores.of(found.scorer)) >= needed:
            break
    return found


def distinct_items(table: TrainingTable, scores: Vectors) -> int:
    """Number of items in the first ten of any request."""
    order = np.lexsort((-scores, table.owners))
    position = np.arange(len(order)) - table.offsets[table.owners]
    return len(np.unique(table.rows[order[position < K]]))


def reliability(fitted: FittedScorer, scores: TableScores) -> Mapping[str, Any]:
    """Predicted and observed shares of items that were taken."""
    later, found = scores.table, scores.of(fitted.scorer)
    probabilities = fitted.calibration.probability(found)
    groups = Reliability.of(probabilities, later.taken, later.weights)
    return {
        "predicted": groups.predicted.tolist(),
        "observed": groups.observed.tolist(),
        "error": groups.error,
    }
