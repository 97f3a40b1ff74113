"""The first map of a feature block: dense, or reading only the numbers that are there.

A bag of words of thousands of coordinates holds a dozen words a text. Centred it is all numbers,
and multiplying by them would cost a hundred times what the words themselves cost.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys._tf import tf, tf_keras
from recsys.features import FeatureBlock
from recsys.towers.model.scaling import centre_and_scale, standardised

FILLED = 0.05
"""A column with fewer rows than this share in it is read sparsely."""
ENOUGH = 256
"""With fewer such columns a dense product is as fast."""


def build_first_map(block: FeatureBlock, units: int, **kwargs: Any) -> Any:
    """A layer from rows of the block, int32 ``[n]``, to W x + b ``[n, units]``.

    x is the row standardised (:func:`recsys.towers.model.scaling.standardised`).

    Args:
        block: Its vectors.
        units: Width of what comes out.
        kwargs: ``kernel_initializer`` and ``activation``, as of a Keras dense layer.
    """
    sparse = (block.vectors != 0).mean(axis=0) < FILLED if len(block) else np.zeros(0, np.bool_)
    if np.count_nonzero(sparse) < ENOUGH:
        return _Dense(block, units, **kwargs)
    return _Sparse(block, np.asarray(sparse), units, **kwargs)


class _Dense(tf_keras.layers.Layer):  # type: ignore[misc]
    """W x + b."""

    def __init__(self, block: FeatureBlock, units: int, **kwargs: Any) -> None:
        super().__init__()
        self._table = tf.constant(standardised(block), tf.float32)
        self._map = tf_keras.layers.Dense(units, **kwargs)

    def call(self, rows: Any) -> Any:
        return self._map(tf.gather(self._table, rows))


class _Sparse(tf_keras.layers.Layer):  # type: ignore[misc]
    """The same from x = (z - m) / s, z mostly zeros: W' z - W' m + b with W' = W / s.

    Columns that are mostly filled are centred beforehand, so that their part is as exact as that of
    a dense map.
    """

    def __init__(self, block: FeatureBlock, sparse: Any, units: int, **kwargs: Any) -> None:
        super().__init__()
        from scipy.sparse import csr_array

        centre, self._scale = centre_and_scale(block.vectors[block.mask])
        held = csr_array(block.vectors[:, sparse] * block.mask[:, None])
        self._width, self._units = block.dimension, units
        self._at, self._filled = (tf.constant(np.flatnonzero(each)) for each in (sparse, ~sparse))
        self._starts = tf.constant(held.indptr, tf.int64)
        self._columns = tf.constant(held.indices, tf.int64)
        self._values = tf.constant(held.data, tf.float32)
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
        words = tf.gather(kernel, self._at)
        out = tf.sparse.sparse_dense_matmul(self._held(rows), words)
        out += self._bias - tf.matmul(self._centre, words)
        out += tf.matmul(tf.gather(self._table, rows), tf.gather(kernel, self._filled))
        return self._activation(out)

    def _held(self, rows: Any) -> Any:
        """The sparse columns of ``rows``, as a sparse tensor."""
        starts = tf.gather(self._starts, rows)
        held = tf.ragged.range(starts, tf.gather(self._starts, rows + 1))
        places = held.flat_values
        at = tf.stack([held.value_rowids(), tf.gather(self._columns, places)], axis=1)
        shape = tf.stack([tf.size(rows, tf.int64), tf.size(self._at, tf.int64)])
        return tf.SparseTensor(at, tf.gather(self._values, places), shape)
