"""EASE: a linear item-item model with a closed form (Steck, 2019).

    P = (X'X + regularization I)^-1        B[i, j] = - P[i, j] / P[j, j], and 0 where i = j

X'X is inverted in place in float32 by Cholesky: 6.7 GB for 41,000 items.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from benchmarks.quality.peer_models.answering import Checkpoint, Setting
from benchmarks.quality.peer_models.files import Floats, Log, Queries
from benchmarks.quality.peer_models.ranking import top_k


def train(log: Log, setting: Setting, seed: int) -> Iterator[Checkpoint]:
    """Scores of a query are its history times B."""
    weights = item_weights(log.matrix(), setting["regularization"])

    def score(queries: Queries) -> Floats:
        scores: Floats = queries.matrix() @ weights
        return scores

    yield Checkpoint(None, lambda queries, k: top_k(queries, score, k))


def item_weights(
    interactions: sparse.csr_matrix, regularization: float, *, block: int = 1024
) -> Floats:
    """B, float32 ``[items, items]``.

    Raises:
        ValueError: X'X is not positive definite in float32; raise the regularization.
    """
    inverse = _gram(interactions, block)
    inverse[np.diag_indices_from(inverse)] += np.float32(regularization)
    inverse, failed = lapack.spotrf(inverse, lower=1, overwrite_a=1, clean=0)
    if not failed:
        inverse, failed = lapack.spotri(inverse, lower=1, overwrite_c=1)
    if failed:
        raise ValueError(f"X'X + {regularization} I cannot be inverted in float32")
    _mirror(inverse, block)
    weights: Floats = inverse.T  # row-major
    weights /= -np.diag(weights).copy()
    np.fill_diagonal(weights, 0)
    return weights


def _gram(interactions: sparse.csr_matrix, block: int) -> Floats:
    """X'X, column-major for LAPACK."""
    columns, items = interactions.tocsc(), interactions.shape[1]
    by_item = columns.T.tocsr()
    gram = np.empty((items, items), np.float32, order="F")
    for low in range(0, items, block):
        gram[:, low : low + block] = (by_item @ columns[:, low : low + block]).toarray()
    return gram


def _mirror(lower: Floats, block: int) -> None:
    """Copy the lower triangle to the upper one."""
    for low in range(0, len(lower), block):
        high = low + block
        lower[low:high, high:] = lower[high:, low:high].T
        square = np.tril(lower[low:high, low:high])
        lower[low:high, low:high] = square + np.tril(square, -1).T
