"""The first projection of a feature block in training: dense, or sparse where most numbers are 0.

A bag of words of thousands of columns holds a dozen words per text. Centred it has no zeros, and
multiplying by all of its numbers would cost a hundred times what the words themselves cost.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys._tf import tf, tf_keras
from recsys.features import FeatureBlock
from recsys.towers.model.scaling import centre_and_scale, standardised

FILLED = 0.05
"""Share of rows below which a column counts as sparse."""
ENOUGH = 256
"""Number of sparse columns below which a dense product is as fast."""


def build_projection(block: FeatureBlock, units: int, **kwargs: Any) -> Any:
    """A layer from rows of the block, int32 ``[n]``, to W x + b ``[n, units]``.

    x is the standardised row (:func:`recsys.towers.model.scaling.standardised`).

    Args:
        block: The vectors.
        units: Width of the output.
        kwargs: ``kernel_initializer`` and ``activation``, as of a Keras dense layer.
    """
    sparse = (block.vectors != 0).mean(axis=0) < FILLED if len(block) else np.zeros(0, np.bool_)
    if np.count_nonzero(sparse) < ENOUGH:
        return DenseProjection(block, units, **kwargs)
    return SparseProjection(block, np.asarray(sparse), units, **kwargs)


class DenseProjection(tf_keras.layers.Layer):  # type: ignore[misc]
    """W x + b."""

    def __init__(self, block: FeatureBlock, units: int, **kwargs: Any) -> None:
        super().__init__()
        self._table = tf.constant(standardised(block), tf.float32)
        self._dense = tf_keras.layers.Dense(units, **kwargs)

    def call(self, rows: Any) -> Any:
        return self._dense(tf.gather(self._table, rows))


class SparseProjection(tf_keras.layers.Layer):  # type: ignore[misc]
    """The same from x = (z - m) / s, z mostly zeros: W' z - W' m + b with W' = W / s.

    Columns that are mostly filled are centred beforehand, so that their part is as exact as that of
    a dense projection.
    """

    def __init__(self, block: FeatureBlock, sparse: Any, units: int, **kwargs: Any) -> None:
        super().__init__()
        from scipy.sparse import csr_array

        centre, self._scale = centre_and_scale(block.vectors[block.mask])
        words = csr_array(block.vectors[:, sparse] * block.mask[:, None])
        self._width, self._units = block.dimension, units
        self._sparse, self._filled = (tf.constant(np.flatnonzero(c)) for c in (sparse, ~sparse))
        self._starts = tf.constant(words.indptr, tf.int64)
        self._columns = tf.constant(words.indices, tf.int64)
        self._values = tf.constant(words.data, tf.float32)
        self._centre = tf.constant(centre[sparse][None, :])
        self._table = tf.constant(block.vectors[:, ~sparse] - centre[~sparse])
        self._initializer = tf_keras.initializers.get(
            kwargs.get("kernel_initializer", "glorot_uniform")
        )
        self._activation = tf_keras.activations.get(kwargs.get("activation"))

    def build(self, shape: Any) -> None:
        size = (self._width, self._units)
        self._kernel = self.add_weight(name="kernel", shape=size, initializer=self._initializer)
        self._bias = self.add_weight(name="bias", shape=(self._units,), initializer="zeros")

    def call(self, rows: Any) -> Any:
        kernel = self._kernel / self._scale
        of_words = tf.gather(kernel, self._sparse)
        out = tf.sparse.sparse_dense_matmul(self._words(rows), of_words)
        out += self._bias - tf.matmul(self._centre, of_words)
        out += tf.matmul(tf.gather(self._table, rows), tf.gather(kernel, self._filled))
        return self._activation(out)

    def _words(self, rows: Any) -> Any:
        """The sparse columns of ``rows``, as a sparse tensor."""
        starts = tf.gather(self._starts, rows)
        spans = tf.ragged.range(starts, tf.gather(self._starts, rows + 1))
        entries = spans.flat_values
        indices = tf.stack([spans.value_rowids(), tf.gather(self._columns, entries)], axis=1)
        shape = tf.stack([tf.size(rows, tf.int64), tf.size(self._sparse, tf.int64)])
        return tf.SparseTensor(indices, tf.gather(self._values, entries), shape)
