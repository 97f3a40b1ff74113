"""Scores that depend neither on the index nor on the rest of the batch.

A float32 matrix product rounds differently with each batch size, and ScaNN differently again. So
products only propose rows; their scores are computed here, each pair by itself in float64.
"""

from __future__ import annotations

import numpy as np

from recsys.ids import Rows, Vectors

_PAIRS_AT_ONCE = 1 << 20


def exact_scores(vectors: Vectors, rows: Rows, query: Vectors) -> Vectors:
    """Inner products of ``vectors[rows]`` with one query ``[d]``, float32 ``[len(rows)]``.

    Example:
        >>> vectors = np.eye(2, dtype=np.float32)
        >>> exact_scores(vectors, np.array([1, 0]), np.array([0.5, 2.0], np.float32)).tolist()
        [2.0, 0.5]
    """
    scores = np.empty(len(rows), np.float32)
    step = max(1, _PAIRS_AT_ONCE // vectors.shape[1])
    precise = query.astype(np.float64)
    for start in range(0, len(rows), step):
        part = vectors[rows[start : start + step]].astype(np.float64)  # (step, d)
        scores[start : start + step] = (part * precise).sum(axis=1)
    return scores


def rank(vectors: Vectors, rows: Rows, query: Vectors, k: int) -> tuple[Rows, Vectors]:
    """The k best of ``rows`` by exact score, ties by the lower row."""
    scores = exact_scores(vectors, rows, query)
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]


def rounding_slack(query: Vectors, longest: float) -> float:
    """Largest distance of a float32 inner product with ``query`` from the exact score.

    Twice the bound of Higham, "Accuracy and Stability of Numerical Algorithms" (2002), section 3.1,
    for the vectors of an index of which the longest has norm ``longest``.
    """
    norm = float(np.sqrt(np.dot(query.astype(np.float64), query)))
    return float(2 * (len(query) + 2) * 2.0**-24 * norm * longest + 1e-37)


def longest(vectors: Vectors) -> float:
    """The largest Euclidean norm in ``vectors``."""
    return float(np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64).max()))
