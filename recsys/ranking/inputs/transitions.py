"""Sparse weights from items of a history to candidates, learned from a log.

:func:`followed_by` counts how often an item comes shortly after another one, in this direction.
:func:`ease` is the item-item regression of Steck ("Embarrassingly shallow autoencoders for sparse
data", WWW 2019, eq. 8), with the largest weights of each item.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.ids import Rows, Vectors
from recsys.interactions import Interactions
from recsys.splits.held_out import Offsets, ranges


@dataclass(frozen=True, eq=False)
class Transitions:
    """Weights from each of m items to some others.

    Attributes:
        offsets: Bounds of each item's entries, int64 ``[m + 1]``.
        items: Rows of the items that the weights lead to, int32 ``[e]``.
        weights: float32 ``[e]``.

    Example:
        >>> weights = Transitions(np.array([0, 2, 2]), np.array([0, 1], np.int32),
        ...                       np.array([0.5, 0.25], np.float32))
        >>> sums = weights.sums(np.array([0, 1]), np.array([1.0, 1.0]), np.array([1, 5]))
        >>> sums.tolist()
        [0.25, 0.0]
    """

    offsets: Offsets
    items: Rows
    weights: Vectors

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def sums(self, sources: Rows, factors: npt.NDArray[np.floating], targets: Rows) -> Vectors:
        """Sum of ``factors`` times the weights from ``sources`` to each target, float32 ``[n]``.

        Args:
            sources: Item rows ``[h]``; rows of m or more have no weights.
            factors: Factor per source ``[h]``.
            targets: Distinct item rows ``[n]``.
        """
        known = sources < len(self)
        sources, factors = sources[known], factors[known]
        lengths = self.offsets[sources + 1] - self.offsets[sources]
        at = ranges(self.offsets[sources], lengths)
        if not len(at):
            return np.zeros(len(targets), np.float32)
        position = np.full(len(self), -1, np.int32)
        inside = np.flatnonzero(targets < len(self))
        position[targets[inside]] = inside
        found = position[self.items[at]]
        hit = np.flatnonzero(found >= 0)
        weights = self.weights[at[hit]] * np.repeat(factors, lengths)[hit]
        return np.bincount(found[hit], weights, minlength=len(targets)).astype(np.float32)


def followed_by(
    log: Interactions,
    *,
    window: int,
    decay: float,
    shrinkage: float,
    neighbours: int,
    weights: Vectors | None = None,
    backwards: bool = False,
) -> Transitions:
    """Share of the times that an item was followed by another one within ``window`` positions.

    Args:
        log: Interactions, each user's in the order of time.
        window: Number of positions after an item.
        decay: Factor per position: the k-th counts ``decay ** (k - 1)``.
        shrinkage: Number added to the times of each item, so that rare items have small weights.
        neighbours: Number of largest weights per item that are kept.
        weights: Weight of each interaction, float32 ``[len(log)]``; None for 1 each.
        backwards: Whether the shares are those of the items before an item.
    """
    n = len(log.items)
    weights = np.ones(len(log), np.float32) if weights is None else weights
    counts = sparse.csr_matrix((n, n), dtype=np.float32)
    for distance in range(1, window + 1):
        same = log.user[distance:] == log.user[:-distance]
        before, after = log.item[:-distance][same], log.item[distance:][same]
        weight = weights[distance:][same] * np.float32(decay ** (distance - 1))
        pairs = (after, before) if backwards else (before, after)
        counts = counts + sparse.csr_matrix((weight, pairs), shape=(n, n))
    counts.setdiag(0)
    counts.eliminate_zeros()
    times = np.bincount(log.item, weights, minlength=n) + shrinkage
    scale = 1 / np.where(times > 0, times, 1)
    return _largest(sparse.diags(scale.astype(np.float32)) @ counts, neighbours)


def ease(log: Interactions, *, l2: float, items: int, neighbours: int) -> Transitions:
    """Item-item regression over the ``items`` most popular items.

    Takes time cubic and memory quadratic in ``items``.
    """
    n = len(log.items)
    chosen = np.sort(np.argsort(-log.item_counts, kind="stable")[:items])
    chosen = chosen[log.item_counts[chosen] > 0]
    if not len(chosen):
        return _largest(sparse.csr_matrix((n, n), dtype=np.float32), neighbours)
    ones = np.ones(len(log), np.float32)
    matrix = sparse.csr_matrix((ones, (log.user, log.item)), shape=(len(log.users), n))
    matrix.data[:] = 1  # repeated interactions count once
    part = matrix[:, chosen]
    gram = (part.T @ part).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += l2
    inverse = np.linalg.inv(gram)
    weights = (-inverse / np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(weights, 0)
    keep = min(neighbours, len(chosen) - 1)
    if keep < 1:
        return _largest(sparse.csr_matrix((n, n), dtype=np.float32), neighbours)
    largest = np.argpartition(-np.abs(weights), keep - 1, axis=1)[:, :keep]
    kept = np.take_along_axis(weights, largest, axis=1)
    rows = np.repeat(chosen, keep)
    found = sparse.csr_matrix((kept.ravel(), (rows, chosen[largest.ravel()])), shape=(n, n))
    return _largest(found, neighbours)


def _largest(matrix: sparse.csr_matrix, neighbours: int) -> Transitions:
    """The entries of each row that are largest in absolute value, by ascending item."""
    matrix = matrix.tocsr()
    matrix.sort_indices()
    bounds, sizes = matrix.indptr.astype(np.int64), np.abs(matrix.data)
    kept = np.ones(len(sizes), np.bool_)
    for row in np.flatnonzero(np.diff(bounds) > neighbours):
        own = slice(bounds[row], bounds[row + 1])
        kept[own] = False
        kept[bounds[row] + np.argpartition(-sizes[own], neighbours - 1)[:neighbours]] = True
    return Transitions(
        np.concatenate([[0], np.cumsum(kept)])[bounds],
        matrix.indices[kept].astype(np.int32),
        matrix.data[kept].astype(np.float32),
    )
