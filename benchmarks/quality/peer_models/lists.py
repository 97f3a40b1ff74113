"""From scores of all items to the k best of each query, without what its history holds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.quality.peer_models.files import Floats, Lists, Queries

Score = Callable[[Queries], Floats]
"""From q queries to float32 ``[q, items]``; the answer may be written into."""


def best(queries: Queries, score: Score, k: int, *, batch: int = 512) -> Lists:
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
            raise ValueError("a score is not a number: the model has diverged")
        owner = np.repeat(np.arange(len(part)), np.diff(part.start))
        found[owner, part.item] = -np.inf
        top = np.argpartition(-found, k - 1, axis=1)[:, :k]  # fast among many equal scores too
        top.sort(axis=1)
        order = np.argsort(-np.take_along_axis(found, top, axis=1), axis=1, kind="stable")
        top = np.take_along_axis(top, order, axis=1)
        rows[low : low + len(part)] = top
        scores[low : low + len(part)] = np.take_along_axis(found, top, axis=1)
    return Lists(queries.user, np.where(scores > -np.inf, rows, 0).astype(np.int32), scores)
