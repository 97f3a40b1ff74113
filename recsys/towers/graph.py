"""Ids smoothed over the graph of who met what: a user is a little like their items, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys._tf import tf
from recsys.features import normalised_interactions
from recsys.interactions import Interactions


class InteractionGraph:
    """LightGCN (He et al. 2020, eq. 7 and 8): linear propagation, the layers averaged.

    With A the normalised interactions (:func:`recsys.features.spectral.normalised_interactions`)
    and U(0), E(0) the trained tables of users and items,

        U(k + 1) = A E(k),   E(k + 1) = A' U(k),   U* = mean over k = 0 .. K of U(k), E* alike.

    Nothing here is trained. A step multiplies A and its transpose K times forwards and backwards;
    at rest U* and E* are tables like any other, so that serving looks them up.

    Args:
        log: Training interactions: the edges.
        layers: K.
    """

    def __init__(self, log: Interactions, *, layers: int) -> None:
        matrix = normalised_interactions(log)
        self._layers = layers
        self._down, self._up = _sparse(matrix), _sparse(matrix.T.tocsr())

    def propagate(self, users: Any, items: Any) -> tuple[Any, Any]:
        """U* and E* from the tables ``[users, d]`` and ``[items, d]``."""
        of_users, of_items = [users], [items]
        for _ in range(self._layers):
            users, items = self._times(items, down=True), self._times(users, down=False)
            of_users.append(users)
            of_items.append(items)
        scale = 1.0 / (self._layers + 1)
        return scale * tf.add_n(of_users), scale * tf.add_n(of_items)

    def _times(self, vectors: Any, *, down: bool) -> Any:
        """A or its transpose times ``vectors``; the gradient is the other's product.

        TensorFlow's own gradient reads the matrix by columns, which is several times slower.
        """
        forth, back = (self._down, self._up) if down else (self._up, self._down)

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def product(x: Any) -> Any:
            return tf.sparse.sparse_dense_matmul(forth, x), lambda g: tf.sparse.sparse_dense_matmul(
                back, g
            )

        return product(vectors)


def _sparse(matrix: Any) -> Any:
    matrix.sort_indices()
    pairs = matrix.tocoo()
    places = np.stack([pairs.row, pairs.col], axis=1).astype(np.int64)
    return tf.sparse.SparseTensor(places, pairs.data.astype(np.float32), matrix.shape)
