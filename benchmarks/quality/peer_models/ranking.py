"""The k best items of each query from scores of all items, without the items of its history."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.quality.peer_models.files import Floats, Queries, RankedLists

Score = Callable[[Queries], Floats]
"""From q queries to float32 ``[q, items]``; the array may be overwritten."""


def top_k(queries: Queries, score: Score, k: int, *, batch: int = 512) -> RankedLists:
    """The k best items of each query, by score, ties by lower row.

    Raises:
        ValueError: A score is NaN.
    """
    k = min(k, queries.items)
    rows = np.zeros((len(queries), k), np.int32)
    scores = np.full((len(queries), k), -np.inf, np.float32)
    for low in range(0, len(queries), batch):
        part = queries.part(low, low + batch)
        found = np.asarray(score(part), np.float32)
        if np.isnan(found).any():
            raise ValueError("a score is NaN: the model diverged")
        owner = np.repeat(np.arange(len(part)), np.diff(part.start))
        found[owner, part.item] = -np.inf
        top = np.argpartition(-found, k - 1, axis=1)[:, :k]  # fast for many equal scores
        top.sort(axis=1)
        order = np.argsort(-np.take_along_axis(found, top, axis=1), axis=1, kind="stable")
        top = np.take_along_axis(top, order, axis=1)
        rows[low : low + len(part)] = top
        scores[low : low + len(part)] = np.take_along_axis(found, top, axis=1)
    return RankedLists(queries.user, np.where(scores > -np.inf, rows, 0).astype(np.int32), scores)
