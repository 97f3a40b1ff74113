"""Fewer dimensions for queries and items at once, so that their scores stay as near as they can."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.ids import Vectors

_FLAT = 1e-6
"""A direction in which queries vary less than this share of the most is left out."""


@dataclass(frozen=True, eq=False)
class Reduction:
    """Two linear maps: q becomes q A, v becomes v B, and q A . v B stands for q . v.

    Attributes:
        query_map: A, float32 ``[D, d]``.
        item_map: B, float32 ``[D, d]``.
    """

    query_map: Vectors
    item_map: Vectors


def reduction_of(queries: Vectors, items: Vectors, dimension: int) -> Reduction:
    """The maps with the least sum of squared errors over all pairs of ``queries`` and ``items``.

    Of all matrices of rank d the nearest to Q V' is its truncated singular value decomposition
    (Eckart & Young 1936). With S the root of Q' Q it comes from matrices of D x D alone: Q S^-1
    has orthonormal columns, so that the leading eigenvectors Y of S V' V S give A = S^-1 Y and
    B = S Y. The items' vectors are then scaled so that the longest has length 1, and queries back.

    Args:
        queries: Q, float32 ``[n, D]``, such as will be asked.
        items: V, float32 ``[m, D]``.
        dimension: d, at most D.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> queries, items = rng.normal(size=(50, 4)), rng.normal(size=(30, 4))
        >>> whole = reduction_of(queries, items, 4)
        >>> scores = (queries @ whole.query_map) @ (items @ whole.item_map).T
        >>> bool(np.allclose(scores, queries @ items.T, atol=1e-4))
        True
    """
    variances, axes = np.linalg.eigh(queries.T.astype(np.float64) @ queries)
    kept = variances > _FLAT * max(float(variances.max(initial=0.0)), 1e-30)
    roots = np.sqrt(variances[kept])
    root, inverse = (axes[:, kept] * power for power in (roots, 1 / roots))  # [D, r]
    spread = items.astype(np.float64) @ root
    _, leading = np.linalg.eigh(spread.T @ spread)
    leading = leading[:, ::-1][:, :dimension]
    maps = [np.zeros((queries.shape[1], dimension)) for _ in range(2)]
    for made, part in zip(maps, (inverse, root)):
        made[:, : leading.shape[1]] = part @ leading
    longest = float(np.linalg.norm(items @ maps[1], axis=1).max(initial=0.0)) or 1.0
    return Reduction((maps[0] * longest).astype(np.float32), (maps[1] / longest).astype(np.float32))
