"""The test of one data set and seed: lists of every scorer, stages, and price of diversity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from benchmarks.feed.offline.measures import K, Lists, sums_by_user
from recsys.feed.slate import Diversity, Exploration, diversify, plan_slate
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
EXPLORATION = Exploration(slots=(K - 1,), rate=0.05)
"""The last slot of the feed shows one of the next 50 items in every twentieth feed."""


def score_test(
    job: Job,
    config: RankerConfig,
    blocks: Iterable[tuple[FeatureSet, HeldOutQueries]],
    fitted: Mapping[str, FittedScorer],
    best: str,
    vectors: Vectors,
) -> dict[str, Any]:
    """Figures of every scorer and of the stages of the feed, which ranks by ``best``."""
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
                if name == best:
                    slates = [_explored(order, rng) for order in orders]
                    found.setdefault("feed", []).append(_lists(chunk, slates))
            for at in np.flatnonzero(rng.random(len(chunk)) < DIVERSIFIED / total).tolist():
                prices.append(sum((_price(chunk[at], scores[best][at], s) for s in STRENGTHS), ()))
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
    single = {k: s for k, s in scorers.items() if not isinstance(s, EnsembleScorer)}
    made = {name: score_table(scorer, table, vectors) for name, scorer in single.items()}
    for name, scorer in scorers.items():
        if isinstance(scorer, EnsembleScorer):  # of scorers that are scored already
            known = {id(each): made[k] for k, each in single.items()}
            parts = zip(scorer.members, scorer.weights)
            made[name] = np.sum([known[id(each)] * w for each, w in parts], axis=0)
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


def _explored(order: Rows, rng: np.random.Generator) -> Rows:
    """The order with a slate of ten first, whose last slot sometimes explores."""
    head = order[: K + POOL]
    ranks = np.arange(len(head), dtype=np.int32)
    shown = head[plan_slate(ranks, K, exploration=EXPLORATION).draw(rng).positions]
    return np.concatenate([shown, order[~np.isin(order, shown)]])


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
