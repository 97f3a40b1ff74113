"""Rankers of one data set and seed: trained on validation, scored once on the test.

The towers are trained on the training part. The rankers order the first items of the retrieval;
they are trained on the validation part, of which the last fifth chooses between epochs, trees,
scorers and weights. The discount of popular items is chosen by the coverage of all validation
queries, which reads no label: a part of them would cover a smaller share of the items than the test
does. Statistics are renewed six times within a part, each time from the log before the next
queries. In a log of positions the statistics are those of the training part, and the choice is made
on a fifth of the validation queries that is drawn at random.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.feed.offline.datasets import trained_job
from benchmarks.feed.offline.discount import choose_discount, coverage_ratios, discounts_of
from benchmarks.feed.offline.oracle import oracle_lists
from benchmarks.feed.offline.scoring import score_test
from benchmarks.feed.offline.table_scores import (
    Chunk,
    TableScores,
    calibrated,
    chunks_of,
    weighted_sum,
)
from recsys.files import write_json
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
)
from recsys.screen import Screen
from recsys.splits import HeldOutQueries

BLENDS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.1)
"""Weights of the logarithm of recent popularity, next to the towers' score."""
SHARES = (0.5, 0.6, 0.7, 0.8)
"""Shares of two networks of different seeds in the weighted sum with LightGBM."""
RENEWALS = 6
"""Number of times that the statistics are made within a part of the log."""


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
        fitted["feed"], tried = discounted(job, config, fitted[best], scores, vectors)
        write_json(folder / "discounts.json", tried)
        blocks = renewed(job, config, job.split.test)
        result = score_test(job, config, chunks_of(job, config, blocks, vectors), fitted)
    result["validation"] = {
        "retrieval": mean_ndcg(later, scores.retrieval),
        **{name: each.ndcg for name, each in fitted.items()},
    }
    result["discounts"] = tried
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
    queries = queries.at(np.sort(drawn) if timed(job) else drawn)
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
    """The queries in the order of time, in blocks, each with features from the log before it.

    Without times there is one block, in the order of ``queries``.
    """
    if timed(job):
        queries = queries.at(np.argsort(queries.time, kind="stable"))
    bounds = np.linspace(0, len(queries), (RENEWALS if timed(job) else 1) + 1).astype(int).tolist()
    for low, high in zip(bounds, bounds[1:]):
        block = queries.slice(low, high)
        log, before = job.split.train, None
        if timed(job):
            log, before = job.ingested.interactions, int(block.time.min())
        statistics = Statistics.of(log, before=before, config=config.statistics)
        yield FeatureSet(default_features(("two_tower",)), statistics), block


def timed(job: Job) -> bool:
    """Whether the log has times, not only positions."""
    return job.ingested.interactions.clock == "timestamp"


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
        calibrated(weighted_sum([*networks, fitted["lightgbm"]], shares), scores)
        for shares in ((share / 2, share / 2, 1 - share) for share in SHARES)
    ]
    blends = [
        LinearScorer.of_weights({"source.two_tower.score": 1.0, "recent": weight})
        for weight in BLENDS
    ]
    found = [choose_scale([blend], scores.table, vectors) for blend in blends]
    fitted["dcn+lightgbm"] = max(weighted, key=lambda each: each.ndcg)
    return fitted | {"blend": max(found, key=lambda each: each.ndcg)}


def discounted(
    job: Job, config: RankerConfig, best: FittedScorer, scores: TableScores, vectors: Vectors
) -> tuple[FittedScorer, list[dict[str, Any]]]:
    """The best scorer with a discount of popular items, and the figures of all discounts."""
    queries, scorers = job.split.validation, discounts_of(best)
    done = 0

    def chunks() -> Iterator[Chunk]:
        nonlocal done
        for chunk in chunks_of(job, config, renewed(job, config, queries), vectors):
            yield chunk
            done += len(chunk.users)
            job.progress("coverage", done, len(queries))

    ratios = coverage_ratios(scorers, chunks(), len(vectors))
    return choose_discount(scorers, ratios, scores)


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
