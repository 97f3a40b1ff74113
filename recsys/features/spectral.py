"""Spectral vectors of users and items: a decomposition of their interactions."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys.ids import Vectors
from recsys.interactions import Interactions

_ZERO = 1e-5
"""Singular values below this are rounding errors; the largest is 1."""


def plain_interactions(log: Interactions) -> Any:
    """R, 1 where a user interacted with an item, else 0: sparse float32 ``[users, items]``."""
    from scipy.sparse import csr_array

    ones = np.ones(len(log), np.float32)
    matrix = csr_array((ones, (log.user, log.item)), shape=(len(log.users), len(log.items)))
    matrix.data[:] = 1.0  # Repeated interactions were summed.
    return matrix


def normalised_interactions(log: Interactions) -> Any:
    """A = D^-1/2 R E^-1/2, sparse float32 ``[users, items]``, with R of :func:`plain_interactions`.

    D and E are the degrees: the number of items per user, and of users per item. No singular value
    of A is above 1.
    """
    from scipy.sparse import diags_array

    plain = plain_interactions(log)
    sides = [diags_array(_inverse_root(plain.sum(axis=axis))) for axis in (1, 0)]
    return (sides[0] @ plain @ sides[1]).tocsr().astype(np.float32)


def spectral_vectors(
    log: Interactions, dimension: int, *, spread: float = 1.0, seed: int = 0
) -> tuple[Vectors, Vectors]:
    """Users ``[users, d]`` and items ``[items, d]``: c P S^1/2 and c Q S^1/2, from A = P S Q'.

    The directions of the d largest singular values of A (see :func:`normalised_interactions`) are
    the smoothest on the interaction graph, the limit of linear graph convolution (GF-CF, Shen et
    al. 2021; SVD-GCN, Peng et al. 2022). The inner product of a user and an item is c^2 times the
    best approximation of A of rank d. If A has fewer than d directions, the other coordinates are
    random. Users and items without interactions are zeros.

    Args:
        log: Training interactions.
        dimension: Number d of dimensions.
        spread: Root mean square of the items' coordinates, which determines c.
        seed: Seed of the randomised decomposition (Halko et al. 2011).

    Example:
        >>> from recsys.ids import IdMap
        >>> users, items = IdMap.of("user", ["a", "b"]), IdMap.of("item", ["x", "y", "z"])
        >>> log = Interactions.of(users, items, user=[0, 0, 1], item=[0, 1, 2], time=[1, 2, 1])
        >>> user_vectors, item_vectors = spectral_vectors(log, 2)
        >>> (user_vectors @ item_vectors.T > 1e-6).tolist()
        [[True, True, False], [False, False, True]]
    """
    from sklearn.utils.extmath import randomized_svd

    matrix = normalised_interactions(log)
    count = min(dimension, *matrix.shape)
    p, s, q = randomized_svd(matrix, count, n_iter=7, random_state=seed)
    count = int((s > _ZERO).sum())
    users, items = (p * np.sqrt(s))[:, :count], (q.T * np.sqrt(s))[:, :count]
    warm = items[log.warm]
    scale = spread / max(float(np.sqrt((warm**2).mean())), 1e-12)
    rng = np.random.default_rng(seed)
    found = []
    for vectors, mask in ((users, np.diff(log.offsets) > 0), (items, log.warm)):
        random = rng.normal(0, spread, (len(vectors), dimension - count))
        found.append((np.hstack([vectors * scale, random]) * mask[:, None]).astype(np.float32))
    return found[0], found[1]


def _inverse_root(counts: Any) -> Any:
    return 1.0 / np.sqrt(np.maximum(np.asarray(counts, np.float64), 1.0))
