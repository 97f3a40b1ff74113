"""Rankers on MovieLens-1M, split at two moments: NDCG@10 of the feed next to that of retrieval.

    RECSYS_DATA_HOME=... python -m benchmarks.feed.movielens [--seeds 1 2 3] [--work FOLDER]

Ratings of 4 and 5. The towers (``movielens-1m.toml``) are trained on the first 80% of the log,
rankers on the next 10%, of which the last fifth chooses; the last 10% is the test, scored once per
seed. All 3,883 films are ranked, without the history; rankers order the first 300. Statistics end
where the part of the queries begins. Each seed is kept in FOLDER and not repeated, and a training
continues where it was interrupted.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.evaluation.record import write_record
from recsys.feed.slate import Diversity, diversify
from recsys.files import load_arrays, read_json, save_arrays, write_json
from recsys.ids import Rows, Vectors
from recsys.pipeline import Job, open_job, run_job
from recsys.pipeline.rank_stage.requests import requests_of
from recsys.ranking import (
    EnsembleScorer,
    FeatureSet,
    LinearScorer,
    RankerConfig,
    Reliability,
    Scorer,
    Statistics,
    default_features,
)
from recsys.ranking.learning import AnsweredRequest, TrainingTable, collect
from recsys.ranking.learning.training import (
    FittedScorer,
    choose_scale,
    fit_scorer,
    mean_ndcg,
    score_table,
)
from recsys.screen import Screen

CONFIG = Path(__file__).with_name("movielens-1m.toml")
RESULT = Path("benchmarks/results/feed_movielens.json")
K, CHUNK, RESAMPLES = 10, 512, 1000
BLENDS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.1)
"""Weights of the logarithm of recent popularity, next to the towers' score."""
STRENGTHS = (0.0, 0.1, 0.2, 0.3, 0.5)
DIVERSIFIED = 2000
"""Number of test queries by which the price of diversity is measured."""
Ranks = npt.NDArray[np.int64]


def main() -> None:
    """Measure every seed, then write and print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    arguments.add_argument("--work", type=Path, default=Path("runs/feed-movielens"))
    given = arguments.parse_args()
    folders = [given.work / f"seed-{seed}" for seed in given.seeds]
    for seed, folder in zip(given.seeds, folders):
        if not (folder / "result.json").is_file():
            measure(seed, folder)
    results = [read_json(folder / "result.json") for folder in folders]
    tests = [load_arrays(folder / "test.npz") for folder in folders]
    figures = summary(results, tests)
    write_record(
        RESULT,
        name="feed-movielens-1m",
        command="python -m benchmarks.feed.movielens",
        seeds=given.seeds,
        figures=figures,
        parts=results,
    )
    for name, value in figures.items():
        print(f"{name:44} {value:.4f}")


def measure(seed: int, folder: Path) -> None:
    """Train towers and rankers of one seed, and score the test."""
    with Screen() as screen:
        job = open_job(CONFIG, runs=folder, overrides={"seed": seed}, progress=screen)
        run_job(job, until="index", observer=screen)
        section = job.config.ranker
        assert section is not None
        table, later = _tables(job, section)
        vectors = np.asarray(job.towers.item_vectors)
        fitted = _fit_all(job, section, table, later, vectors, folder)
        best = max(fitted, key=lambda name: fitted[name].ndcg)
        test, prices = score_test(job, section, fitted, best, vectors)
    order = -later.select(("source.two_tower.rank",)).values[:, 0]
    chosen = fitted[best]
    probabilities = chosen.calibration.probability(score_table(chosen.scorer, later, vectors))
    groups = Reliability.of(probabilities, later.taken, later.weights)
    save_arrays(folder / "test.npz", {**test, "user": job.split.test.user})
    result = {
        "seed": seed,
        "chosen": best,
        "validation": {
            "retrieval": mean_ndcg(later, order),
            **{name: each.ndcg for name, each in fitted.items()},
        },
        "price_of_diversity": prices,
        "reliability": {
            "predicted": groups.predicted.tolist(),
            "observed": groups.observed.tolist(),
            "error": groups.error,
        },
    }
    write_json(folder / "result.json", result)


def _tables(job: Job, section: RankerConfig) -> tuple[TrainingTable, TrainingTable]:
    queries = job.split.validation
    queries = queries.at(np.argsort(queries.time, kind="stable"))
    features = _features(job, section, int(queries.time.min()))
    last = int(len(queries) * (1 - section.choose_on))
    parts = (queries.slice(0, last), queries.slice(last, len(queries)))
    made = [
        collect(
            requests_of(job, part, candidates=section.candidates),
            features,
            negatives=negatives,
            seed=section.seed,
        )
        for part, negatives in zip(parts, (section.negatives, None))
    ]
    return made[0], made[1]


def _features(job: Job, section: RankerConfig, before: int) -> FeatureSet:
    log = job.ingested.interactions
    statistics = Statistics.of(log, before=before, config=section.statistics)
    return FeatureSet(default_features(("two_tower",)), statistics)


def _fit_all(
    job: Job,
    section: RankerConfig,
    table: TrainingTable,
    later: TrainingTable,
    vectors: Vectors,
    folder: Path,
) -> dict[str, FittedScorer]:
    fitted = {}
    names: Sequence[Any] = ("logistic", "lightgbm", "dcn")
    for name in names:
        config = section.model_copy(update={"scorer": name})
        fitted[name] = fit_scorer(
            table,
            later,
            config=config,
            item_vectors=vectors,
            folder=folder / "dcn",
            progress=job.progress,
        )
    members = [fitted[name].scorer for name in ("dcn", "lightgbm")]
    fitted["dcn+lightgbm"] = choose_scale(members, later, vectors)
    blends = [
        choose_scale(
            [LinearScorer.of_weights({"source.two_tower.score": 1.0, "recent": weight})],
            later,
            vectors,
        )
        for weight in BLENDS
    ]
    fitted["blend"] = max(blends, key=lambda each: each.ndcg)
    return fitted


def score_test(
    job: Job,
    section: RankerConfig,
    fitted: Mapping[str, FittedScorer],
    best: str,
    vectors: Vectors,
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, list[float]]]:
    """Position of each test target and the first ten items by scorer; the price of diversity."""
    queries = job.split.test
    features = _features(job, section, int(queries.time.min()))
    requests = requests_of(job, queries, candidates=section.candidates)
    scorers = {name: each.scorer for name, each in fitted.items()}
    found: dict[str, list[npt.NDArray[Any]]] = {}
    prices: list[list[tuple[float, float]]] = [[] for _ in STRENGTHS]
    every = max(1, len(queries) // DIVERSIFIED)
    for low in range(0, len(queries), CHUNK):
        chunk = list(islice(requests, CHUNK))
        scores = _scores(chunk, features, scorers, vectors)
        for name, each in scores.items():
            positions, first = zip(*(_position_and_first(r, s) for r, s in zip(chunk, each)))
            found.setdefault(f"{name}.position", []).append(np.array(positions))
            found.setdefault(f"{name}.first", []).append(np.array(first))
        for at in range(-low % every, len(chunk), every):
            for strength, values in zip(STRENGTHS, prices):
                values.append(_price(chunk[at], scores[best][at], strength))
        job.progress("test", min(low + CHUNK, len(queries)), len(queries))
    arrays = {name: np.concatenate(each) for name, each in found.items()}
    arrays["popularity.position"], arrays["popularity.first"] = _popularity(job)
    means = [np.mean(values, axis=0).tolist() for values in prices]
    return arrays, {str(s): mean for s, mean in zip(STRENGTHS, means)}


def _scores(
    chunk: Sequence[AnsweredRequest],
    features: FeatureSet,
    scorers: Mapping[str, Scorer],
    vectors: Vectors,
) -> dict[str, list[Vectors]]:
    tables = [features.compute(each.context, each.items) for each in chunk]
    table = TrainingTable.of(
        tables,
        [each.labels for each in chunk],
        times=[each.time for each in chunk],
        contexts=[each.context for each in chunk],
    )
    single = {k: s for k, s in scorers.items() if not isinstance(s, EnsembleScorer)}
    made = {name: score_table(scorer, table, vectors) for name, scorer in single.items()}
    for name, scorer in scorers.items():
        if isinstance(scorer, EnsembleScorer):  # of scorers that are scored already
            known = {id(each): made[k] for k, each in single.items()}
            parts = zip(scorer.members, scorer.weights)
            made[name] = np.sum([known[id(each)] * w for each, w in parts], axis=0)
    made["retrieval"] = -table.select(("source.two_tower.rank",)).values[:, 0]
    return {name: np.split(each, table.offsets[1:-1]) for name, each in made.items()}


def _position_and_first(request: AnsweredRequest, scores: Vectors) -> tuple[int, Rows]:
    """Position of the target, 0 if it was not retrieved, and the first ten items."""
    order = np.argsort(-scores, kind="stable")
    hits = np.flatnonzero(request.labels[order])
    return (int(hits[0]) + 1 if len(hits) else 0), request.items.rows[order[:K]]


def _price(request: AnsweredRequest, scores: Vectors, strength: float) -> tuple[float, float]:
    """NDCG@10 of a diversified list, and the mean distance of its items."""
    assert request.items.vectors is not None
    best = np.argsort(-scores, kind="stable")[:50]
    vectors = request.items.vectors[best]
    order = diversify(scores[best], vectors, K, Diversity(method="mmr", strength=strength))[:K]
    hits = np.flatnonzero(request.labels[best[order]])
    chosen = vectors[order] / np.linalg.norm(vectors[order], axis=1, keepdims=True)
    cosines = (chosen @ chosen.T)[np.triu_indices(len(chosen), 1)]
    return (1 / np.log2(hits[0] + 2) if len(hits) else 0.0), float(1 - cosines.mean())


def _popularity(job: Job) -> tuple[Ranks, Rows]:
    """As :func:`_position_and_first`, over all films by their number of training interactions."""
    queries, order = job.split.test, np.argsort(-job.split.train.item_counts, kind="stable")
    positions, first = [], []
    for at in range(len(queries)):
        shown = order[~np.isin(order, queries.history(at))]
        positions.append(int(np.flatnonzero(shown == queries.targets(at)[0])[0]) + 1)
        first.append(shown[:K])
    return np.array(positions), np.array(first, np.int32)


def summary(
    results: Sequence[Mapping[str, Any]], tests: Sequence[Mapping[str, npt.NDArray[Any]]]
) -> dict[str, float]:
    """Means over the seeds, and the gain of the chosen scorer with its interval over users."""
    names = [name.removesuffix(".position") for name in tests[0] if name.endswith(".position")]
    figures: dict[str, float] = {}
    gains: dict[str, list[Vectors]] = {}
    for name in sorted(names):
        for figure in ("ndcg@10", "recall@10", "recall@50", "coverage@10"):
            each = [_figure(figure, name, test) for test in tests]
            figures[f"ml1m.{name}.{figure}"] = float(np.mean(each))
        gains[name] = [_gains(test[f"{name}.position"]) for test in tests]
    chosen = [gains[result["chosen"]][at] for at, result in enumerate(results)]
    for figure in ("ndcg@10", "recall@10", "recall@50", "coverage@10"):
        each = [_figure(figure, result["chosen"], test) for result, test in zip(results, tests)]
        figures[f"ml1m.feed.{figure}"] = float(np.mean(each))
        base = figures[f"ml1m.retrieval.{figure}"]
        figures[f"ml1m.gain.{figure}"] = figures[f"ml1m.feed.{figure}"] / base - 1
    figures["ml1m.coverage_ratio"] = 1 + figures["ml1m.gain.coverage@10"]
    low, high = _interval(tests[0]["user"], np.mean(chosen, 0), np.mean(gains["retrieval"], 0))
    figures["ml1m.gain.ndcg@10.low"], figures["ml1m.gain.ndcg@10.high"] = low, high
    figures["ml1m.calibration_error"] = float(
        np.mean([result["reliability"]["error"] for result in results])
    )
    return figures


def _figure(figure: str, name: str, test: Mapping[str, npt.NDArray[Any]]) -> float:
    positions = test[f"{name}.position"]
    if figure == "coverage@10":
        return float(len(np.unique(test[f"{name}.first"])))
    if figure == "ndcg@10":
        return float(_gains(positions).mean())
    k = int(figure.split("@")[1])
    return float(((positions > 0) & (positions <= k)).mean())


def _gains(positions: Ranks) -> Vectors:
    listed = (positions > 0) & (positions <= K)
    return np.where(listed, 1 / np.log2(np.maximum(positions, 1) + 1), 0.0)


def _interval(user: Rows, feed: Vectors, retrieval: Vectors) -> tuple[float, float]:
    """95% interval of the relative gain, by a bootstrap over users."""
    _, owner = np.unique(user, return_inverse=True)
    sums = np.stack([np.bincount(owner, each) for each in (feed, retrieval)])
    rng = np.random.default_rng(0)
    size = sums.shape[1]
    ratios = []
    for _ in range(RESAMPLES):
        weights = np.bincount(rng.integers(0, size, size), minlength=size)
        first, second = sums @ weights
        ratios.append(first / second - 1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(low), float(high)


if __name__ == "__main__":
    main()
