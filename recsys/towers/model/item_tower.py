"""The item tower: ids and feature blocks in, one unit vector an item out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys._tf import tf, tf_keras
from recsys.features import FeatureBlock
from recsys.ids import Mask, Vectors
from recsys.towers.config import TowersConfig
from recsys.towers.model.initializers import identity
from recsys.towers.model.item_ids import ItemIds
from recsys.towers.model.sparse_maps import build_first_map


class ItemTower(tf_keras.Model):  # type: ignore[misc]
    """v(i) = normalise( warm(i) E[i] + sum over blocks b of has_b(i) P_b x_b(i) ).

    E holds a trained vector for each item (:class:`~recsys.towers.model.item_ids.ItemIds`); x_b(i)
    is block b's vector, standardised over the items that have one; P_b a small trained map. In
    training a share of an item's blocks is left out (``block_dropout``), so that has_b(i) is 0 for
    them.

    Args:
        config: Sizes and inputs.
        blocks: Feature blocks over the same n items.
        warm: Which items were met in training, bool ``[n]``.
        begin: Where E begins, float32 ``[n, d]``; random by default.
    """

    def __init__(
        self,
        config: TowersConfig,
        blocks: Sequence[FeatureBlock],
        warm: Mask,
        *,
        begin: Vectors | None = None,
    ) -> None:
        super().__init__(name="item_tower")
        self._config = config
        widths = [block.dimension for block in blocks]
        self.blocks = [
            _BlockTower(config, block, sum(widths[:at])) for at, block in enumerate(blocks)
        ]
        masks = np.array([block.mask for block in blocks]).reshape(len(blocks), len(warm))
        self._has = tf.constant(masks.T, tf.float32)
        self._ids = None
        if config.item_id != "none":
            self._ids = ItemIds(config, warm, np.asarray(masks.any(axis=0)), begin)

    @property
    def id_table(self) -> Any:
        """E, float32 ``[n, d]``."""
        assert self._ids is not None
        return self._ids.table

    def call(self, rows: Any, training: bool = False, ids: Any = None) -> Any:
        """Vectors of ``rows`` (int32 ``[n]``), float32 ``[n, d]``, each of length 1.

        ``ids`` ``[items, d]`` stands in the place of E, where given.
        """
        kept = self._kept(rows, training)
        parts = [block(rows) * kept[:, at, None] for at, block in enumerate(self.blocks)]
        if self._ids is not None:
            parts.append(self._ids(rows, training=training, table=ids))
        if not parts:
            return tf.zeros((tf.size(rows), self._config.dimension))
        return tf.math.l2_normalize(tf.add_n(parts), axis=-1)

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
        begin: Any = "glorot_uniform"
        if config.initial == "identity":
            begin = identity(offset)
        if config.projection == "mlp":
            self._first = build_first_map(block, 2 * config.dimension, activation="gelu")
            self._rest = [tf_keras.layers.Dense(config.dimension, kernel_initializer=begin)]
        else:
            self._first = build_first_map(block, config.dimension, kernel_initializer=begin)
            self._rest = []

    def call(self, rows: Any) -> Any:
        x = self._first(rows)
        for layer in self._rest:
            x = layer(x)
        return x
