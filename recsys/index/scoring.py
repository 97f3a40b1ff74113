"""Scores that depend neither on the index nor on the rest of the batch.

A float32 matrix product rounds differently with each batch size, and ScaNN differently again. So
products only propose rows; their scores are computed by ``recsys.index.kernels``, each pair by
itself in float64.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from recsys.ids import Rows, Vectors

_NOTHING = np.empty(0, np.int32), np.zeros(2, np.int64)
_HIDDEN = np.empty(0, np.bool_), np.empty(0, np.int64), 0, *_NOTHING
_ROWS_AT_ONCE = 1 << 16


def exact_scores(vectors: Vectors, rows: Rows, query: Vectors) -> Vectors:
    """Inner products of ``vectors[rows]`` with one query ``[d]``, float32 ``[len(rows)]``.

    Example:
        >>> vectors = np.eye(2, dtype=np.float32)
        >>> exact_scores(vectors, np.array([1, 0]), np.array([0.5, 2.0], np.float32)).tolist()
        [2.0, 0.5]
    """
    from recsys.index import kernels
    from recsys.index.storage.elements import loop_argument

    scores = np.empty(len(rows), np.float32)
    kernels.score_rows(loop_argument(vectors), np.ascontiguousarray(rows, np.int32), query, scores)
    return scores


def rank(vectors: Vectors, rows: Rows, query: Vectors, k: int) -> tuple[Rows, Vectors]:
    """The k best of ``rows`` by exact score, ties by the lower row."""
    from recsys.index import kernels
    from recsys.index.storage.elements import loop_argument

    shape = (1, min(k, len(rows)))
    best, scores = np.empty(shape, np.int32), np.empty(shape, np.float32)
    kernels.rank_rows(
        loop_argument(vectors),
        query[None],
        np.zeros(1, np.int64),
        np.array(rows, np.int32),
        np.array([len(rows)]),
        _HIDDEN,
        (best, scores, np.empty(shape, np.bool_)),
    )
    return best[0], scores[0]


def rounding_slack(query: Vectors, longest: float) -> float:
    """Largest distance of a float32 inner product with ``query`` from the exact score.

    Twice the bound of Higham, "Accuracy and Stability of Numerical Algorithms" (2002), section 3.1,
    for the vectors of an index of which the longest has norm ``longest``.
    """
    return float(rounding_slacks(query[None], longest)[0])


def rounding_slacks(queries: Vectors, longest: float) -> npt.NDArray[np.float64]:
    """The same for each of ``queries`` ``[b, d]``, float64 ``[b]``."""
    norms = np.sqrt(np.einsum("bd,bd->b", queries, queries, dtype=np.float64))
    slacks: npt.NDArray[np.float64] = (
        2 * (queries.shape[1] + 2) * 2.0**-24 * norms * longest + 1e-37
    )
    return slacks


def longest(vectors: Vectors) -> float:
    """The largest Euclidean norm in ``vectors``."""
    squares = 0.0
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        part = vectors[start : start + _ROWS_AT_ONCE]
        squares = max(squares, float(np.einsum("nd,nd->n", part, part, dtype=np.float64).max()))
    return math.sqrt(squares)
