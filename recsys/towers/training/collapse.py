"""Towers that have come to say the same of everything: found out, and refused."""

from __future__ import annotations

import numpy as np

from recsys.errors import TrainingError
from recsys.ids import Vectors

ITEMS_ALIKE = 0.99
"""Mean cosine of two items' vectors above which they have collapsed."""
QUERIES_ALIKE = 0.9999
"""Cosine with their mean that every query's vector exceeds where all queries are one."""
QUERIES_ENOUGH = 32
"""Fewer may be alike by chance: all of one user, say, or of users who met the same."""


def refuse_collapsed(items: Vectors, queries: Vectors) -> None:
    """Raise if the vectors of either side are all one, or nearly: no ranking can come of them.

    Args:
        items: Unit vectors of the warm items, float32 ``[n, d]``; 0 where nothing is told of one.
        queries: The same of different queries, float32 ``[m, d]``, such as a batch's.

    Raises:
        TrainingError: They are; it says what to change. One item alone, and fewer than
            ``QUERIES_ENOUGH`` queries, are never alike.

    Example:
        >>> refuse_collapsed(np.eye(3, dtype=np.float32), np.ones((40, 3)) / 3**0.5)
        Traceback (most recent call last):
        ...
        recsys.errors.TrainingError: all 40 queries looked at have one vector (each with a cosine \
above 0.9999 to their mean), so every user would get the same items: lower train.learning_rate, \
or let the query tower read what tells users apart (towers.history, towers.user_id, towers.terms)
    """
    mean = _mean_cosine(items)
    if mean > ITEMS_ALIKE:
        raise TrainingError(
            f"the vectors of the {len(items)} items have collapsed (mean cosine of two items"
            f" {mean:.4f}, expected at most {ITEMS_ALIKE}): lower train.learning_rate, choose a"
            " train.loss with more or heavier negatives (more train.loss.negatives, a higher"
            " negative_weight), or give items what tells them apart (towers.item_id,"
            " towers.blocks)",
            field="train.loss",
        )
    if len(queries) >= QUERIES_ENOUGH and _least_cosine_to_mean(queries) > QUERIES_ALIKE:
        raise TrainingError(
            f"all {len(queries)} queries looked at have one vector (each with a cosine above"
            f" {QUERIES_ALIKE} to their mean), so every user would get the same items: lower"
            " train.learning_rate, or let the query tower read what tells users apart"
            " (towers.history, towers.user_id, towers.terms)",
            field="towers.history",
        )


def _mean_cosine(vectors: Vectors) -> float:
    """Of two different rows: the sum over all pairs is the squared length of the rows' sum.

    Rows that are all 0 are alike.
    """
    count = len(vectors)
    if count < 2:
        return 0.0
    if not vectors.any():
        return 1.0
    total = vectors.sum(axis=0, dtype=np.float64)
    return float((total @ total - count) / (count * (count - 1)))


def _least_cosine_to_mean(vectors: Vectors) -> float:
    if not vectors.any():
        return 1.0
    mean = vectors.mean(axis=0, dtype=np.float64)
    return float((vectors @ mean).min() / max(float(np.linalg.norm(mean)), 1e-12))
