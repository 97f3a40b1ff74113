"""Metrics as pure functions over arrays: which places of a ranking hold a target.

``hits`` is bool ``[q, n]``: whether place ``1 .. n`` of each ranking holds a target. ``targets`` is
int ``[q]``: how many targets each query has, found or not. All but coverage give one value a query,
float64 ``[q]``; their mean is the figure. Which places hold a target is decided in ``ranking``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.ids import Mask, Rows

Values = npt.NDArray[np.float64]
Counts = npt.NDArray[np.signedinteger[Any]]


def recall(hits: Mask, targets: Counts, k: int) -> Values:
    """The share of a query's targets in its first k places.

    The denominator is the number of targets, also where it exceeds k.

    Example:
        >>> recall(np.array([[True, False, True]]), np.array([4]), 3).tolist()
        [0.5]
    """
    found: Values = np.count_nonzero(hits[:, :k], axis=1).astype(np.float64)
    found /= np.maximum(targets, 1)
    return found


def hit_rate(hits: Mask, k: int) -> Values:
    """1 where any target is in the first k places; equals recall where there is one target."""
    found: Values = np.any(hits[:, :k], axis=1).astype(np.float64)
    return found


def ndcg(hits: Mask, targets: Counts, k: int) -> Values:
    """Normalised discounted cumulative gain with binary gains (Järvelin and Kekäläinen, 2002).

    A target at place p gains 1 / log2(p + 1); the sum is divided by that of the best ranking, which
    holds min(k, targets) targets in its first places.
    """
    gains = 1 / np.log2(np.arange(2, k + 2))
    best = np.concatenate([[0.0], np.cumsum(gains)])
    ideal = best[np.clip(targets, 1, k)]
    width = min(k, hits.shape[1])
    gained: Values = hits[:, :width] @ gains[:width] / ideal
    return gained


def mrr(hits: Mask, k: int) -> Values:
    """1 / the first target's place, 0 where the first k places hold none."""
    top = hits[:, :k]
    return np.where(top.any(axis=1), 1 / (top.argmax(axis=1) + 1), 0.0)


def average_precision(hits: Mask, targets: Counts, k: int) -> Values:
    """The mean over a query's targets of the precision at each one's place, 0 beyond k.

    With p the places of the found targets, (1 / targets) sum over p of (targets in the first p
    places) / p; its mean over queries is the MAP of TREC (Buckley and Voorhees, 2000), over the
    full ranking where k is the number of items. The denominator is the number of targets, also
    where it exceeds k.

    Example:
        >>> average_precision(np.array([[True, False, True]]), np.array([2]), 3).round(3).tolist()
        [0.833]
    """
    top = hits[:, :k]
    precision = np.cumsum(top, axis=1) / np.arange(1, top.shape[1] + 1)
    average: Values = (precision * top).sum(axis=1) / np.maximum(targets, 1)
    return average


def coverage(rows: Rows, valid: Mask, k: int, candidates: int) -> float:
    """The share of the candidates that is in anyone's first k places.

    Args:
        rows: Ranked item rows, int32 ``[q, n]``.
        valid: Which places hold an item at all, bool ``[q, n]``.
        k: How many places count.
        candidates: How many items could have been ranked.
    """
    return len(np.unique(rows[:, :k][valid[:, :k]])) / max(candidates, 1)


def popularity_slices(item_counts: Counts) -> dict[str, Mask]:
    """Items by the interactions they hold: head, middle and tail have a third of them each.

    From the most met item down (ties by lower row), an item belongs to the third in which its
    interactions begin. Items that were never met are in none of the three.

    Example:
        >>> slices = popularity_slices(np.array([6, 4, 2, 0]))
        >>> {name: np.flatnonzero(mask).tolist() for name, mask in slices.items()}
        {'head': [0], 'middle': [1], 'tail': [2]}
    """
    order = np.argsort(-item_counts, kind="stable")
    before = np.cumsum(item_counts[order]) - item_counts[order]
    third = np.empty(len(item_counts), np.int64)
    third[order] = np.minimum(before * 3 // max(int(item_counts.sum()), 1), 2)
    met = item_counts > 0
    return {name: met & (third == at) for at, name in enumerate(("head", "middle", "tail"))}
