"""The item tower: ids and feature blocks in, one unit vector an item out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys._tf import tf, tf_keras
from recsys.features import FeatureBlock
from recsys.ids import Mask
from recsys.towers.config import TowersConfig
from recsys.towers.initial import identity, short
from recsys.towers.scaling import standardised


class ItemTower(tf_keras.Model):  # type: ignore[misc]
    """v(i) = normalise( warm(i) E[i] + sum over blocks b of has_b(i) P_b x_b(i) ).

    E holds a trained vector for each item, left out for cold items always and for a random share
    of the others in training (dropout of the id, as DropoutNet, Volkovs et al. 2017): the
    content must then stand for the item. x_b(i) is block b's vector, standardised over the items
    that have one; P_b a small trained map. In training a share of an item's blocks is left out
    (``block_dropout``), so that has_b(i) is 0 for them.

    Args:
        config: Sizes and inputs.
        blocks: Feature blocks over the same n items.
        warm: Which items were met in training, bool ``[n]``.
    """

    def __init__(self, config: TowersConfig, blocks: Sequence[FeatureBlock], warm: Mask) -> None:
        super().__init__(name="item_tower")
        self._config = config
        widths = [block.dimension for block in blocks]
        self.blocks = [
            _BlockTower(config, block, sum(widths[:at])) for at, block in enumerate(blocks)
        ]
        masks = np.array([block.mask for block in blocks]).reshape(len(blocks), len(warm))
        self._has = tf.constant(masks.T, tf.float32)
        self._warm = tf.constant(warm, tf.float32)
        self._ids = None
        if config.item_id == "embedding":
            self._ids = tf_keras.layers.Embedding(
                len(warm),
                config.dimension,
                embeddings_initializer=short(),
                name="item_id",
            )

    def call(self, rows: Any, training: bool = False) -> Any:
        """Vectors of ``rows`` (int32 ``[n]``), float32 ``[n, d]``, each of length 1."""
        total = tf.zeros((tf.size(rows), self._config.dimension))
        if self._ids is not None:
            keep = tf.gather(self._warm, rows)
            if training and self._config.id_dropout > 0:
                keep *= tf.cast(
                    tf.random.uniform(tf.shape(keep)) >= self._config.id_dropout, tf.float32
                )
            total += self._ids(rows) * keep[:, None]
        kept = self._kept(rows, training)
        for at, block in enumerate(self.blocks):
            total += block(rows) * kept[:, at, None]
        return tf.math.l2_normalize(total, axis=-1)

    def _kept(self, rows: Any, training: bool) -> Any:
        """1 where a block counts and 0 where it is left out, float32 ``[n, blocks]``."""
        has = tf.gather(self._has, rows)
        share = self._config.block_dropout
        if not training or share == 0:
            return has
        # Drawn below 0 where an item lacks a block: the highest draw is of one that it has.
        drawn = tf.where(has > 0, tf.random.uniform(tf.shape(has)), -1.0)
        highest = tf.reduce_max(drawn, axis=1, keepdims=True)
        return has * tf.cast((drawn >= share) | (drawn == highest), tf.float32)


class _BlockTower(tf_keras.layers.Layer):  # type: ignore[misc]
    """One feature block, standardised and projected; it means nothing where an item has none.

    ``offset`` is the coordinate from which on it keeps its vector, where it begins as identity.
    """

    def __init__(self, config: TowersConfig, block: FeatureBlock, offset: int) -> None:
        super().__init__(name=f"block_{block.name}")
        self._table = tf.constant(standardised(block), tf.float32)
        begin = identity(offset) if config.initial == "identity" else "glorot_uniform"
        hidden = [tf_keras.layers.Dense(2 * config.dimension, activation="gelu")]
        self._layers = [
            *(hidden if config.projection == "mlp" else []),
            tf_keras.layers.Dense(config.dimension, kernel_initializer=begin),
        ]

    def call(self, rows: Any) -> Any:
        x = tf.gather(self._table, rows)
        for layer in self._layers:
            x = layer(x)
        return x
