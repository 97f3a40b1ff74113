"""Exact answers by plain numpy, and the recall of other answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.ids import Rows, Vectors

_SCORES_AT_ONCE = 1 << 27
_TOLERANCE = 1e-6
"""Difference of scores, per product of the lengths, that counts as none: float32 rounds them."""


@dataclass(frozen=True)
class Answers:
    """The best rows of each query, best first.

    Attributes:
        rows: int32 ``[q, k]``; -1 where a query has fewer.
        scores: float32 ``[q, k]``; minus infinity where a query has fewer.
    """

    rows: Rows
    scores: Vectors


def exact_answers(
    items: Vectors, queries: Vectors, k: int, eligible: Rows | None = None
) -> Answers:
    """The exact k best of all rows, or of the ``eligible`` ones."""
    pool = items if eligible is None else items[eligible]
    depth = min(k, len(pool))
    rows = np.full((len(queries), k), -1, np.int32)
    scores = np.full((len(queries), k), -np.inf, np.float32)
    step = max(1, _SCORES_AT_ONCE // max(1, len(pool)))
    for start in range(0, len(queries), step) if depth else ():
        products = queries[start : start + step] @ pool.T
        best = np.argpartition(products, len(pool) - depth, axis=1)[:, len(pool) - depth :]
        values = np.take_along_axis(products, best, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        best = np.take_along_axis(best, order, axis=1)
        rows[start : start + step, :depth] = best if eligible is None else eligible[best]
        scores[start : start + step, :depth] = np.take_along_axis(values, order, axis=1)
    return Answers(rows, scores)


def recalls(items: Vectors, queries: Vectors, found: Rows, truth: Answers, k: int) -> Vectors:
    """Share of the exact k best that ``found``, int ``[q, k]``, holds, per query float32 ``[q]``.

    A row that ties with the last exact score counts; -1 is no row; a repeated row counts once. A
    query of which fewer than k rows are eligible is compared with those.
    """
    wanted = np.isfinite(truth.scores[: len(queries), :k]).sum(axis=1)
    shares = np.ones(len(queries), np.float32)
    for query in np.flatnonzero(wanted):
        rows = np.unique(found[query, :k])
        rows = rows[rows >= 0]
        last = truth.scores[query, wanted[query] - 1]
        vectors, norm = items[rows], np.linalg.norm(queries[query])
        slack = _TOLERANCE * norm * np.linalg.norm(vectors, axis=1)
        right = np.count_nonzero(vectors @ queries[query] >= last - slack)
        shares[query] = min(1.0, right / wanted[query])
    return shares
