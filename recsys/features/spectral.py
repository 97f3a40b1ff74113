"""Vectors of users and items from who met what alone, before any training step."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys.ids import Vectors
from recsys.interactions import Interactions

_NOTHING = 1e-5
"""A singular value below this is 0, but for rounding; the largest is 1."""


def plain_interactions(log: Interactions) -> Any:
    """R, 1 where a user met an item, however often: sparse float32 ``[users, items]``, by rows."""
    from scipy.sparse import csr_array

    ones = np.ones(len(log), np.float32)
    met = csr_array((ones, (log.user, log.item)), shape=(len(log.users), len(log.items)))
    met.data[:] = 1.0  # repeats were summed
    return met


def normalised_interactions(log: Interactions) -> Any:
    """A = D^-1/2 R E^-1/2, a sparse float32 ``[users, items]`` matrix (scipy, by rows).

    R is 1 where a user met an item, however often; D and E hold how many items a user met and how
    many users an item. No singular value of A is above 1.
    """
    from scipy.sparse import diags_array

    met = plain_interactions(log)
    sides = [diags_array(_inverse_root(met.sum(axis=axis))) for axis in (1, 0)]
    return (sides[0] @ met @ sides[1]).tocsr().astype(np.float32)


def leading_directions(
    log: Interactions, count: int, *, seed: int = 0
) -> tuple[Vectors, Vectors, Vectors]:
    """P ``[users, c]``, s ``[c]`` and Q' ``[c, items]`` of A = P S Q', the largest s first.

    Args:
        log: Training interactions.
        count: c, or fewer where A has fewer.
        seed: Of the randomised decomposition (Halko et al. 2011).
    """
    from sklearn.utils.extmath import randomized_svd

    matrix = normalised_interactions(log)
    p, s, q = randomized_svd(matrix, min(count, *matrix.shape), n_iter=7, random_state=seed)
    return p, s, q


def spectral_vectors(
    log: Interactions, dimension: int, *, spread: float = 1.0, seed: int = 0
) -> tuple[Vectors, Vectors]:
    """Users ``[users, d]`` and items ``[items, d]``: c P S^1/2 and c Q S^1/2, from A = P S Q'.

    The d largest singular values of A (see :func:`normalised_interactions`) are its smoothest
    directions on the graph of who met what; linear graph convolution without end keeps just these
    (GF-CF, Shen et al. 2021; SVD-GCN, Peng et al. 2022). The inner product of a user and an item
    is c^2 times the best approximation of A of rank d. Where A has fewer than d directions, random
    numbers fill up, so that no coordinate is dead. Who met nothing, or was met by nobody, is zeros.

    Args:
        log: Training interactions.
        dimension: d.
        spread: The root mean square of the items' numbers, which c brings about.
        seed: Of the randomised decomposition (Halko et al. 2011).

    Example:
        >>> from recsys.ids import IdMap
        >>> users, items = IdMap.of("user", ["a", "b"]), IdMap.of("item", ["x", "y", "z"])
        >>> log = Interactions.of(users, items, user=[0, 0, 1], item=[0, 1, 2], time=[1, 2, 1])
        >>> of_users, of_items = spectral_vectors(log, 2)
        >>> (of_users @ of_items.T > 1e-6).tolist()
        [[True, True, False], [False, False, True]]
    """
    p, s, q = leading_directions(log, dimension, seed=seed)
    count = int((s > _NOTHING).sum())
    users, items = (p * np.sqrt(s))[:, :count], (q.T * np.sqrt(s))[:, :count]
    met = items[log.warm]
    scale = spread / max(float(np.sqrt((met**2).mean())), 1e-12)
    rng = np.random.default_rng(seed)
    made = []
    for vectors, there in ((users, np.diff(log.offsets) > 0), (items, log.warm)):
        more = rng.normal(0, spread, (len(vectors), dimension - count))
        wide = np.hstack([vectors * scale, more]) * there[:, None]
        made.append(wide.astype(np.float32))
    return made[0], made[1]


def _inverse_root(counts: Any) -> Any:
    return 1.0 / np.sqrt(np.maximum(np.asarray(counts, np.float64), 1.0))
