"""Fewer dimensions for queries and items at once, so that their scores stay as near as possible."""

from __future__ import annotations

import numpy as np

from recsys.ids import Mask, Vectors

_FLAT = 1e-6
"""Share of the largest variance of the queries below which a direction is left out."""


def reduce_dimension(
    queries: Vectors, items: Vectors, dimension: int, *, among: Mask
) -> tuple[Vectors, Vectors]:
    """Queries and items in fewer dimensions, with the least sum of squared errors of their scores.

    The matrix of rank d nearest to Q V' is its truncated singular value decomposition (Eckart &
    Young 1936). With S the root of Q' Q it comes from matrices of D x D alone: Q S^-1 has
    orthonormal columns, so that the leading eigenvectors Y of S V' V S give the projections
    S^-1 Y of queries and S Y of items. The longest item then has length 1.

    Args:
        queries: Q, float32 ``[n, D]``.
        items: V, float32 ``[m, D]``.
        dimension: d; from D on, nothing changes.
        among: Items whose scores count, bool ``[m]``.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> queries, items = rng.normal(size=(50, 2)), rng.normal(size=(30, 2))
        >>> wide = queries @ np.ones((2, 4)), items @ np.eye(2, 4)
        >>> few = reduce_dimension(*wide, 2, among=np.ones(30, bool))
        >>> few[0].shape, bool(np.allclose(few[0] @ few[1].T, wide[0] @ wide[1].T, atol=1e-4))
        ((50, 2), True)
    """
    if dimension >= items.shape[1]:
        return queries, items
    variances, axes = np.linalg.eigh(queries.T.astype(np.float64) @ queries)
    used = variances > _FLAT * max(float(variances.max(initial=0.0)), 1e-30)
    roots = np.sqrt(variances[used])
    root, inverse = (axes[:, used] * power for power in (roots, 1 / roots))  # [D, r]
    spread = items[among].astype(np.float64) @ root
    _, leading = np.linalg.eigh(spread.T @ spread)
    leading = leading[:, ::-1][:, :dimension]
    projections = [np.zeros((queries.shape[1], dimension)) for _ in range(2)]
    for projection, part in zip(projections, (inverse, root)):
        projection[:, : leading.shape[1]] = part @ leading
    longest = float(np.linalg.norm(items[among] @ projections[1], axis=1).max(initial=0.0)) or 1.0
    return (
        (queries @ (projections[0] * longest).astype(np.float32)).astype(np.float32),
        (items @ (projections[1] / longest).astype(np.float32)).astype(np.float32),
    )
