"""The test of one data set and seed: lists of every scorer, stages, and price of diversity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from benchmarks.feed.offline.measures import K, Lists, sums_by_user
from recsys.feed.slate import Diversity, diversify
from recsys.ids import Rows, Vectors
from recsys.pipeline import Job
from recsys.pipeline.rank_stage.requests import requests_of
from recsys.ranking import EnsembleScorer, FeatureSet, RankerConfig, Scorer
from recsys.ranking.learning import AnsweredRequest, TrainingTable
from recsys.ranking.learning.training import FittedScorer, score_table
from recsys.splits import HeldOutQueries

CHUNK = 512
STRENGTHS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
DIVERSIFIED, POOL = 2000, 50
"""Number of test queries by which the price of diversity is measured, and of items reordered."""


class TableScores:
    """Scores of the items of a table; a member of several ensembles scores once."""

    def __init__(self, table: TrainingTable, vectors: Vectors) -> None:
        self.table, self._vectors = table, vectors
        self._known: dict[int, tuple[Scorer, Vectors]] = {}

    def of(self, scorer: Scorer) -> Vectors:
        """float32 ``[n]``."""
        if isinstance(scorer, EnsembleScorer):
            parts = zip(scorer.members, scorer.weights)
            return np.sum([self.of(each) * weight for each, weight in parts], axis=0)
        if id(scorer) not in self._known:
            self._known[id(scorer)] = scorer, score_table(scorer, self.table, self._vectors)
        return self._known[id(scorer)][1]


def score_test(
    job: Job,
    config: RankerConfig,
    blocks: Iterable[tuple[FeatureSet, HeldOutQueries]],
    fitted: Mapping[str, FittedScorer],
    vectors: Vectors,
) -> dict[str, Any]:
    """Figures of every scorer; the price of diversity is that of the scorer "feed"."""
    scorers = {name: each.scorer for name, each in fitted.items()}
    found: dict[str, list[Lists]] = {}
    prices: list[tuple[float, ...]] = []
    users: list[Rows] = []
    rng, total = np.random.default_rng(config.seed), len(job.split.test)
    for features, queries in blocks:
        users.append(queries.user)
        requests = requests_of(job, queries, candidates=config.candidates)
        while chunk := list(islice(requests, CHUNK)):
            scores = _scores(chunk, features, scorers, vectors)
            for name, each in scores.items():
                orders = [np.argsort(-own, kind="stable").astype(np.int32) for own in each]
                found.setdefault(name, []).append(_lists(chunk, orders))
            for at in np.flatnonzero(rng.random(len(chunk)) < DIVERSIFIED / total).tolist():
                prices.append(
                    sum((_price(chunk[at], scores["feed"][at], s) for s in STRENGTHS), ())
                )
            job.progress("test", sum(len(each.first) for each in found["feed"]), total)
    lists = {name: _joined(parts) for name, parts in found.items()}
    means = np.mean(prices, axis=0).reshape(-1, 2).tolist()
    gains = {name: lists[name].gains for name in ("feed", "retrieval")}
    return {
        "queries": total,
        "scorers": {name: each.figures() for name, each in lists.items()}
        | {"popularity": popularity(job).figures()},
        "price_of_diversity": [
            {"strength": strength, "ndcg@10": ndcg, "distance": distance}
            for strength, (ndcg, distance) in zip(STRENGTHS, means)
        ],
        "users": sums_by_user(np.concatenate(users), gains),
    }


def popularity(job: Job) -> Lists:
    """Lists of all items by their number of training interactions, without the history."""
    queries, order = job.split.test, np.argsort(-job.split.train.item_counts, kind="stable")
    number = np.argsort(order)
    positions, first = [], []
    for at in range(len(queries)):
        history = np.unique(queries.history(at))
        target = number[queries.targets(at)[0]]
        positions.append(1 + int(target) - int((number[history] < target).sum()))
        head = order[: K + len(history)]
        first.append(head[~np.isin(head, history)][:K])
    return Lists(np.array(positions), np.array(first, np.int32))


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
    scored = TableScores(table, vectors)
    made = {name: scored.of(scorer) for name, scorer in scorers.items()}
    made["retrieval"] = -table.select(("source.two_tower.rank",)).values[:, 0]
    return {name: np.split(each, table.offsets[1:-1]) for name, each in made.items()}


def _lists(chunk: Sequence[AnsweredRequest], orders: Sequence[Rows]) -> Lists:
    positions = np.zeros(len(chunk), np.int64)
    for at, (request, order) in enumerate(zip(chunk, orders)):
        hits = np.flatnonzero(request.labels[order])
        positions[at] = hits[0] + 1 if len(hits) else 0
    first = [request.items.rows[order[:K]] for request, order in zip(chunk, orders)]
    return Lists(positions, np.array(first, np.int32))


def _joined(parts: Sequence[Lists]) -> Lists:
    positions, first = zip(*((each.positions, each.first) for each in parts))
    return Lists(np.concatenate(positions), np.concatenate(first))


def _price(request: AnsweredRequest, scores: Vectors, strength: float) -> tuple[float, float]:
    """NDCG@10 of a diversified list, and the mean distance of its items."""
    assert request.items.vectors is not None
    best = np.argsort(-scores, kind="stable")[:POOL]
    vectors = request.items.vectors[best]
    order = diversify(scores[best], vectors, K, Diversity(method="mmr", strength=strength))[:K]
    hits = np.flatnonzero(request.labels[best[order]])
    chosen = vectors[order] / np.linalg.norm(vectors[order], axis=1, keepdims=True)
    cosines = (chosen @ chosen.T)[np.triu_indices(len(chosen), 1)]
    return (1 / np.log2(hits[0] + 2) if len(hits) else 0.0), float(1 - cosines.mean())
