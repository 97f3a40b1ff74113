"""A small log, retrieved items and contexts, for the tests of rankers."""

from __future__ import annotations

import numpy as np

from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.ranking import PairContext, RetrievedItems

ITEMS, USERS, DAY = 30, 40, 86_400


def chain_log(*, seed: int = 0, length: int = 12) -> Interactions:
    """Users who take an item and then mostly the next one, one per hour."""
    rng = np.random.default_rng(seed)
    users = np.repeat(np.arange(USERS), length)
    starts = rng.integers(0, ITEMS, USERS)
    jumps = np.where(rng.random((USERS, length)) < 0.8, 1, rng.integers(2, ITEMS, (USERS, length)))
    items = (starts[:, None] + np.cumsum(jumps, axis=1)) % ITEMS
    times = 1_000_000 + np.tile(np.arange(length) * 3600, USERS) + users * 60
    return Interactions.of(
        IdMap.of("user", [f"u{row}" for row in range(USERS)]),
        IdMap.of("item", [f"i{row}" for row in range(ITEMS)]),
        user=users,
        item=items.ravel(),
        time=times,
    )


def unit_vectors(n: int, d: int, *, seed: int = 0) -> np.ndarray:
    """Random vectors of length 1, float32 ``[n, d]``."""
    vectors = np.random.default_rng(seed).normal(size=(n, d))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def request(*, seed: int = 0, n: int = 12) -> tuple[PairContext, RetrievedItems]:
    """A context and n items of two sources, of which each returned some."""
    rng = np.random.default_rng(seed)
    vectors = unit_vectors(ITEMS, 4)
    history = rng.permutation(ITEMS)[:6].astype(np.int32)
    rows = np.setdiff1d(np.arange(ITEMS, dtype=np.int32), history)
    rows = rng.permutation(rows)[:n].astype(np.int32)
    ranks = np.full((n, 2), np.nan, np.float32)
    scores = ranks.copy()
    for source in range(2):
        found = rng.permutation(n)[: n - 3]
        ranks[found, source] = np.arange(1, len(found) + 1)
        scores[found, source] = 1 - 0.01 * ranks[found, source]
    context = PairContext(
        history,
        now=2_000_000,
        user_vector=vectors[int(history[-1])],
        history_vectors=vectors[history],
    )
    return context, RetrievedItems(
        rows, ("two_tower", "trending"), ranks, scores, vectors=vectors[rows]
    )
