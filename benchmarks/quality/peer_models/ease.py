"""EASE: the linear model of items on items with a closed form (Steck, 2019).

    P = (X'X + regularization I)^-1        B[i, j] = - P[i, j] / P[j, j], and 0 where i = j

The inverse is made in float32 in the place of X'X itself, by Cholesky: 6.7 GB for 41,000 items.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from benchmarks.quality.peer_models.files import Floats, Log, Queries
from benchmarks.quality.peer_models.lists import best
from benchmarks.quality.peer_models.running import Checkpoint, Setting


def learn(log: Log, setting: Setting, seed: int) -> Iterator[Checkpoint]:
    """A query's scores are its history times B."""
    weights = item_weights(log.matrix(), setting["regularization"])

    def score(queries: Queries) -> Floats:
        scores: Floats = queries.matrix() @ weights
        return scores

    yield Checkpoint(None, lambda queries, k: best(queries, score, k))


def item_weights(met: sparse.csr_matrix, regularization: float, *, block: int = 1024) -> Floats:
    """B, float32 ``[items, items]``.

    Raises:
        ValueError: X'X has no inverse in float32; a larger regularization has.
    """
    inverse = _gram(met, block)
    inverse[np.diag_indices_from(inverse)] += np.float32(regularization)
    inverse, failed = lapack.spotrf(inverse, lower=1, overwrite_a=1, clean=0)
    if not failed:
        inverse, failed = lapack.spotri(inverse, lower=1, overwrite_c=1)
    if failed:
        raise ValueError(f"X'X + {regularization} I cannot be inverted in float32")
    _mirror(inverse, block)
    weights: Floats = inverse.T  # the same numbers, row by row in memory
    weights /= -np.diag(weights).copy()
    np.fill_diagonal(weights, 0)
    return weights


def _gram(met: sparse.csr_matrix, block: int) -> Floats:
    """X'X, column by column in memory, as LAPACK works in it."""
    columns, items = met.tocsc(), met.shape[1]
    by_item = columns.T.tocsr()
    gram = np.empty((items, items), np.float32, order="F")
    for low in range(0, items, block):
        gram[:, low : low + block] = (by_item @ columns[:, low : low + block]).toarray()
    return gram


def _mirror(lower: Floats, block: int) -> None:
    """Write the lower triangle over the upper one."""
    for low in range(0, len(lower), block):
        high = low + block
        lower[low:high, high:] = lower[high:, low:high].T
        square = np.tril(lower[low:high, low:high])
        lower[low:high, low:high] = square + np.tril(square, -1).T
