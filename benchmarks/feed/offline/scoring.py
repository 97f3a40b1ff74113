"""The test of one data set and seed: lists of every scorer, stages, and price of diversity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.feed.offline.measures import K, Lists, sums_by_user
from benchmarks.feed.offline.table_scores import Chunk
from recsys.feed.slate import Diversity, diversify
from recsys.ids import Rows, Vectors
from recsys.pipeline import Job
from recsys.ranking import RankerConfig
from recsys.ranking.learning import AnsweredRequest
from recsys.ranking.learning.training import FittedScorer

STRENGTHS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
DIVERSIFIED, POOL = 2000, 50
"""Number of test queries by which the price of diversity is measured, and of items reordered."""


def score_test(
    job: Job, config: RankerConfig, chunks: Iterable[Chunk], fitted: Mapping[str, FittedScorer]
) -> dict[str, Any]:
    """Figures of every scorer; the price of diversity is that of the scorer "feed"."""
    found: dict[str, list[Lists]] = {}
    prices: list[tuple[float, ...]] = []
    users: list[Rows] = []
    rng, total = np.random.default_rng(config.seed), len(job.split.test)
    for chunk in chunks:
        users.append(chunk.users)
        scores = _scores(chunk, fitted)
        for name, each in scores.items():
            orders = [np.argsort(-own, kind="stable").astype(np.int32) for own in each]
            found.setdefault(name, []).append(_lists(chunk.requests, orders))
        drawn = rng.random(len(chunk.requests)) < DIVERSIFIED / total
        for at in np.flatnonzero(drawn).tolist():
            request, own = chunk.requests[at], scores["feed"][at]
            prices.append(sum((_price(request, own, strength) for strength in STRENGTHS), ()))
        job.progress("test", sum(len(each) for each in users), total)
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


def _scores(chunk: Chunk, fitted: Mapping[str, FittedScorer]) -> dict[str, list[Vectors]]:
    scores = chunk.scores
    made = {name: scores.of(each.scorer) for name, each in fitted.items()}
    made["retrieval"] = scores.retrieval
    return {name: np.split(each, scores.table.offsets[1:-1]) for name, each in made.items()}


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
