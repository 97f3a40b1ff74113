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
    at rest U* and E* are tables like any other, so that serving looks them up. With dropout p a
    training step sees each interaction with probability 1 - p, divided by it (Wu et al.,
    "Self-supervised graph learning for recommendation", SIGIR 2021, edge dropout).

    Args:
        log: Training interactions: the edges.
        layers: K.
        dropout: p.
    """

    def __init__(self, log: Interactions, *, layers: int, dropout: float = 0.0) -> None:
        matrix = normalised_interactions(log)
        matrix.sort_indices()
        self._layers, self._dropout = layers, dropout
        self._down, self._up = _sparse(matrix), _sparse(matrix.T.tocsr())
        numbered = matrix.copy()
        numbered.data = np.arange(matrix.nnz)
        # Which entry of A each entry of its transpose is.
        self._across = tf.constant(_sorted(numbered.T.tocsr()).data)

    def propagate(self, users: Any, items: Any, training: bool = False) -> tuple[Any, Any]:
        """U* and E* from the tables ``[users, d]`` and ``[items, d]``."""
        values = [self._down.values, self._up.values]
        if training and self._dropout > 0:
            kept = tf.random.uniform(tf.shape(values[0])) >= self._dropout
            scale = tf.cast(kept, tf.float32) / (1.0 - self._dropout)
            values = [values[0] * scale, values[1] * tf.gather(scale, self._across)]
        down, up = _by_rows(self._down, values[0]), _by_rows(self._up, values[1])
        of_users, of_items = [users], [items]
        for _ in range(self._layers):
            users, items = _times(down, items, back=up), _times(up, users, back=down)
            of_users.append(users)
            of_items.append(items)
        scale = 1.0 / (self._layers + 1)
        return scale * tf.add_n(of_users), scale * tf.add_n(of_items)


def _times(matrix: Any, vectors: Any, *, back: Any) -> Any:
    """The product with ``vectors``, whose gradient is that with ``back``, the transpose."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def product(x: Any) -> Any:
        forth = tf.raw_ops.SparseMatrixMatMul(a=matrix, b=x)
        return forth, lambda g: tf.raw_ops.SparseMatrixMatMul(a=back, b=g)

    return product(vectors)


def _by_rows(matrix: Any, values: Any) -> Any:
    """The matrix with these values in rows: multiplied by ten times as fast as by its places.

    Made in the step that needs it, for a few milliseconds: a compiled step cannot hold one.
    """
    return tf.raw_ops.SparseTensorToCSRSparseMatrix(
        indices=matrix.indices, values=values, dense_shape=matrix.dense_shape
    )


def _sparse(matrix: Any) -> Any:
    pairs = _sorted(matrix).tocoo()
    places = np.stack([pairs.row, pairs.col], axis=1).astype(np.int64)
    return tf.sparse.SparseTensor(places, pairs.data.astype(np.float32), matrix.shape)


def _sorted(matrix: Any) -> Any:
    matrix.sort_indices()
    return matrix
