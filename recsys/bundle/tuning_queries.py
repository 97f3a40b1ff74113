"""Queries on which the indexes of a bundle that is already trained are tuned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from recsys.ids import Vectors
from recsys.index import ExactConfig
from recsys.interactions import Interactions
from recsys.retrieval import TWO_TOWER, Space
from recsys.towers import QueryBatch

if TYPE_CHECKING:
    from recsys.towers import AnyTowers


def queries_of(
    spaces: Mapping[str, Space], towers: AnyTowers, log: Interactions, limit: int
) -> dict[str, Mapping[str, Vectors]]:
    """Queries per space that has an approximate index; at most ``limit`` of a kind."""
    return {
        name: tower_queries(towers, log, limit)
        if name == TWO_TOWER
        else content_queries(space.vectors, log, limit)
        for name, space in spaces.items()
        if not isinstance(space.index.config, ExactConfig)
    }


def tower_queries(towers: AnyTowers, log: Interactions, limit: int) -> Mapping[str, Vectors]:
    """Queries of users, and vectors of items; at most ``limit`` of a kind."""
    kinds = {"items": _some_rows(towers.item_vectors, limit)}
    users = _some_users(log, limit)
    if users:
        timed = log.clock == "timestamp" and towers.reads_times
        batch = QueryBatch.of(
            [log.history(user) for user in users],
            users=np.array(users, np.int32),
            times=[log.times(user) for user in users] if timed else None,
        )
        kinds["users"] = towers.encode_many(batch)
    return {kind: each for kind, each in kinds.items() if len(each)}


def content_queries(vectors: Vectors, log: Interactions, limit: int) -> Mapping[str, Vectors]:
    """Means of histories, and vectors of items, of unit length; at most ``limit`` of a kind."""
    means = [vectors[log.history(user)].mean(axis=0) for user in _some_users(log, limit)]
    users = np.array(means, np.float32).reshape(-1, vectors.shape[1])
    kinds = {"items": _unit(_some_rows(vectors, limit)), "users": _unit(users)}
    return {kind: each for kind, each in kinds.items() if len(each)}


def _some_users(log: Interactions, limit: int) -> list[int]:
    """Users with a history, spread over all of them."""
    active = np.flatnonzero(log.active_users)
    at = np.linspace(0, len(active) - 1, min(limit, len(active))).astype(int)
    return [int(row) for row in active[at]]


def _some_rows(vectors: Vectors, limit: int) -> Vectors:
    """Vectors spread over all of them, without zeros."""
    at = np.linspace(0, len(vectors) - 1, min(limit, len(vectors))).astype(int)
    chosen: Vectors = np.array(vectors[at])
    return chosen[chosen.any(axis=1)]


def _unit(vectors: Vectors) -> Vectors:
    """The vectors with unit length, without those that are nearly zero."""
    norms = np.linalg.norm(vectors, axis=1)
    scaled: Vectors = vectors[norms > 1e-6] / norms[norms > 1e-6, None]
    return scaled
