"""Id vectors smoothed over the graph of interactions."""

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
        down, up = _by_rows(self._down), _by_rows(self._up)
        of_users, of_items = [users], [items]
        for _ in range(self._layers):
            users, items = _times(down, items, back=up), _times(up, users, back=down)
            of_users.append(users)
            of_items.append(items)
        # Not add_n: its order of summation depends on which buffer happens to be free, so that two
        # runs of the same training would differ in the last bit.
        return tf.reduce_mean(tf.stack(of_users), axis=0), tf.reduce_mean(
            tf.stack(of_items), axis=0
        )


def _times(matrix: Any, vectors: Any, *, back: Any) -> Any:
    """The product with ``vectors``, whose gradient is that with ``back``, the transpose."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def product(x: Any) -> Any:
        forth = tf.raw_ops.SparseMatrixMatMul(a=matrix, b=x)
        return forth, lambda g: tf.raw_ops.SparseMatrixMatMul(a=back, b=g)

    return product(vectors)


def _by_rows(matrix: Any) -> Any:
    """The matrix by rows, which multiplies ten times as fast as coordinates.

    Made in the step that needs it, in a few milliseconds: a compiled step cannot hold one.
    """
    return tf.raw_ops.SparseTensorToCSRSparseMatrix(
        indices=matrix.indices, values=matrix.values, dense_shape=matrix.dense_shape
    )


def _sparse(matrix: Any) -> Any:
    matrix.sort_indices()
    entries = matrix.tocoo()
    indices = np.stack([entries.row, entries.col], axis=1).astype(np.int64)
    return tf.sparse.SparseTensor(indices, entries.data.astype(np.float32), matrix.shape)
