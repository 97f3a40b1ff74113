"""Metrics as pure functions of arrays.

``hits`` is bool ``[q, n]``: whether position ``1 .. n`` of each ranking is a target. ``targets`` is
int ``[q]``: number of targets per query, found or not. All except coverage return one value per
query, float64 ``[q]``, whose mean is the figure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.ids import Mask, Rows

Values = npt.NDArray[np.float64]
Counts = npt.NDArray[np.signedinteger[Any]]


def recall(hits: Mask, targets: Counts, k: int) -> Values:
    """Share of a query's targets in the first k positions, also if there are more than k targets.

    Example:
        >>> recall(np.array([[True, False, True]]), np.array([4]), 3).tolist()
        [0.5]
    """
    found: Values = np.count_nonzero(hits[:, :k], axis=1).astype(np.float64)
    found /= np.maximum(targets, 1)
    return found


def hit_rate(hits: Mask, k: int) -> Values:
    """1 if any target is in the first k positions; equals recall for one target."""
    found: Values = np.any(hits[:, :k], axis=1).astype(np.float64)
    return found


def ndcg(hits: Mask, targets: Counts, k: int) -> Values:
    """Normalised discounted cumulative gain with binary gains (Järvelin and Kekäläinen, 2002).

    A target at position p gains 1 / log2(p + 1); the sum is divided by that of the best ranking,
    which begins with min(k, targets) targets.
    """
    gains = 1 / np.log2(np.arange(2, k + 2))
    best = np.concatenate([[0.0], np.cumsum(gains)])
    ideal = best[np.clip(targets, 1, k)]
    width = min(k, hits.shape[1])
    gained: Values = hits[:, :width] @ gains[:width] / ideal
    return gained


def mrr(hits: Mask, k: int) -> Values:
    """Reciprocal position of the first target, 0 if it is beyond k."""
    top = hits[:, :k]
    return np.where(top.any(axis=1), 1 / (top.argmax(axis=1) + 1), 0.0)


def average_precision(hits: Mask, targets: Counts, k: int) -> Values:
    """Mean over a query's targets of the precision at each one's position, 0 beyond k.

    Its mean over queries is the MAP of TREC (Buckley and Voorhees, 2000), over the full ranking if
    k is the number of items. The denominator is the number of targets, also if it exceeds k.

    Example:
        >>> average_precision(np.array([[True, False, True]]), np.array([2]), 3).round(3).tolist()
        [0.833]
    """
    top = hits[:, :k]
    precision = np.cumsum(top, axis=1) / np.arange(1, top.shape[1] + 1)
    average: Values = (precision * top).sum(axis=1) / np.maximum(targets, 1)
    return average


def coverage(rows: Rows, valid: Mask, k: int, candidates: int) -> float:
    """Share of ``candidates`` items that are in the first k positions of any query.

    ``rows`` is int32 ``[q, n]``; ``valid``, bool ``[q, n]``, is False where a position has no item.
    """
    return len(np.unique(rows[:, :k][valid[:, :k]])) / max(candidates, 1)


def popularity_slices(item_counts: Counts) -> dict[str, Mask]:
    """Items in the head, middle and tail of popularity, with a third of the interactions each.

    In order of popularity (ties by lower row), an item belongs to the third in which its
    interactions begin. Items without interactions are in none of them.

    Example:
        >>> slices = popularity_slices(np.array([6, 4, 2, 0]))
        >>> {name: np.flatnonzero(mask).tolist() for name, mask in slices.items()}
        {'head': [0], 'middle': [1], 'tail': [2]}
    """
    order = np.argsort(-item_counts, kind="stable")
    before = np.cumsum(item_counts[order]) - item_counts[order]
    third = np.empty(len(item_counts), np.int64)
    third[order] = np.minimum(before * 3 // max(int(item_counts.sum()), 1), 2)
    active = item_counts > 0
    return {name: active & (third == at) for at, name in enumerate(("head", "middle", "tail"))}


def user_segments(user_counts: Counts) -> dict[str, Mask]:
    """Users without training interactions (new), and the two halves of the others' interactions.

    The most active users, which together have half of the training interactions, are heavy; the
    others are light. In order of activity (ties by lower row), a user belongs to the half in which
    their interactions begin.

    Example:
        >>> segments = user_segments(np.array([5, 0, 3, 2]))
        >>> {name: np.flatnonzero(mask).tolist() for name, mask in segments.items()}
        {'new_users': [1], 'light_users': [2, 3], 'heavy_users': [0]}
    """
    order = np.argsort(-user_counts, kind="stable")
    before = np.cumsum(user_counts[order]) - user_counts[order]
    heavy = np.zeros(len(user_counts), np.bool_)
    heavy[order] = before * 2 < user_counts.sum()
    active = user_counts > 0
    return {
        "new_users": ~active,
        "light_users": active & ~heavy,
        "heavy_users": active & heavy,
    }
