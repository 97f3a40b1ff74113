"""The sparse projection of a block equals the dense one."""

from __future__ import annotations

import numpy as np
import pytest

from recsys._tf import tf
from recsys.features import FeatureBlock
from recsys.towers.model.block_projections import (
    DenseProjection,
    SparseProjection,
    build_projection,
)

ITEMS, WORDS, DENSE = 60, 300, 5


@pytest.fixture
def block():
    """Three words per text and a few dense columns; item 7 has no vector."""
    rng = np.random.default_rng(1)
    vectors = np.zeros((ITEMS, WORDS + DENSE), np.float32)
    for row in vectors:
        row[rng.choice(WORDS, 3, replace=False)] = rng.random(3)
    vectors[:, WORDS:] = rng.normal(3.0, 1.0, (ITEMS, DENSE))
    vectors = vectors[:, rng.permutation(WORDS + DENSE)]
    mask = np.arange(ITEMS) != 7
    vectors[~mask] = 0
    return FeatureBlock(vectors, mask, "text")


def test_sparse_blocks_of_many_columns_have_a_sparse_projection(block):
    narrow = FeatureBlock(block.vectors[:, :200], block.mask, "text")
    filled = FeatureBlock(block.vectors + block.mask[:, None], block.mask, "text")
    nothing = FeatureBlock(np.zeros((0, 300), np.float32), np.zeros(0, np.bool_), "text")
    assert isinstance(build_projection(block, 4), SparseProjection)
    for other in (narrow, filled, nothing):
        assert isinstance(build_projection(other, 4), DenseProjection)


@pytest.mark.parametrize("activation", [None, "gelu"])
def test_both_projections_have_equal_values_and_gradients(block, activation):
    rng = np.random.default_rng(2)
    weights = [rng.normal(size=(WORDS + DENSE, 4)), rng.normal(size=4)]
    rows = tf.constant([3, 59, 0, 3, 11], tf.int32)
    found = []
    for kind in (DenseProjection(block, 4, activation=activation), None):
        layer = kind or build_projection(block, 4, activation=activation)
        layer(rows)
        layer.set_weights(weights)
        with tf.GradientTape() as tape:
            out = layer(rows)
            loss = tf.reduce_sum(out**2)
        steps = tape.gradient(loss, layer.trainable_variables)
        found.append([out.numpy(), *(tf.convert_to_tensor(step).numpy() for step in steps)])
    for dense, sparse in zip(*found):
        np.testing.assert_allclose(sparse, dense, rtol=1e-4, atol=1e-4)


def test_no_rows_give_no_vectors(block):
    assert build_projection(block, 4)(tf.zeros((0,), tf.int32)).shape == (0, 4)
