"""Detection of collapsed towers, whose vectors are all alike."""

from __future__ import annotations

import numpy as np

from recsys.errors import TrainingError
from recsys.ids import Vectors

ITEMS_ALIKE = 0.99
"""Mean cosine of two item vectors above which items have collapsed."""
QUERIES_ALIKE = 0.9999
"""Cosine with the mean query above which, for every query, queries have collapsed."""
QUERIES_ENOUGH = 32
"""Number of queries below which they may be alike by chance, for example of one user."""


def refuse_collapsed(items: Vectors, queries: Vectors) -> None:
    """Raise if the vectors of all items or of all queries are nearly one.

    Args:
        items: Unit vectors of the warm items, float32 ``[n, d]``; zeros for an item without input.
        queries: Unit vectors of different queries, float32 ``[m, d]``, for example of a batch.

    Raises:
        TrainingError: They are nearly one; the message names the remedy. A single item, and fewer
            than ``QUERIES_ENOUGH`` queries, never raise.

    Example:
        >>> refuse_collapsed(np.eye(3, dtype=np.float32), np.ones((40, 3)) / 3**0.5)
        Traceback (most recent call last):
        ...
        recsys_client.errors.TrainingError: all 40 queries of a batch have one vector (each with a \
cosine above 0.9999 to their mean), so every user would get the same items: lower \
train.learning_rate, or let the query tower read inputs that distinguish users (towers.history, \
towers.user_id, towers.terms)
    """
    mean = _mean_cosine(items)
    if mean > ITEMS_ALIKE:
        raise TrainingError(
            f"the vectors of the {len(items)} items have collapsed (mean cosine of two items"
            f" {mean:.4f}, expected at most {ITEMS_ALIKE}): lower train.learning_rate, choose a"
            " train.loss with more or heavier negatives (more train.loss.negatives, a higher"
            " negative_weight), or give items inputs that distinguish them (towers.item_id,"
            " towers.blocks)",
            field="train.loss",
        )
    if len(queries) >= QUERIES_ENOUGH and _least_cosine_to_mean(queries) > QUERIES_ALIKE:
        raise TrainingError(
            f"all {len(queries)} queries of a batch have one vector (each with a cosine above"
            f" {QUERIES_ALIKE} to their mean), so every user would get the same items: lower"
            " train.learning_rate, or let the query tower read inputs that distinguish users"
            " (towers.history, towers.user_id, towers.terms)",
            field="towers.history",
        )


def _mean_cosine(vectors: Vectors) -> float:
    """Mean cosine of two rows, from the squared length of the sum of all; 1 if all are zeros."""
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
