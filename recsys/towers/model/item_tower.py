"""The item tower in training: ids and feature blocks in, one unit vector per item out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys._tf import tf, tf_keras
from recsys.features import FeatureBlock
from recsys.ids import Mask, Vectors
from recsys.towers.config import TowersConfig
from recsys.towers.draws import Draws
from recsys.towers.model.block_projections import build_projection
from recsys.towers.model.frozen_items import FrozenItemTower, FrozenProjection
from recsys.towers.model.initializers import Identity
from recsys.towers.model.item_ids import ItemIds
from recsys.towers.model.scaling import centre_and_scale


class ItemTower(tf_keras.Model):  # type: ignore[misc]
    """v(i) = normalise( warm(i) E[i] + sum over blocks b of has_b(i) P_b x_b(i) ).

    E holds a trained vector per item (:class:`~recsys.towers.model.item_ids.ItemIds`); x_b(i) is
    block b's vector, standardised over the items that have one; P_b a small trained projection. In
    training a share of an item's blocks is left out (``block_dropout``): has_b(i) is 0 for them.

    Args:
        config: Sizes and inputs.
        blocks: Feature blocks over the same n items.
        warm: Whether training has an interaction of each item, bool ``[n]``.
        begin: Initial E, float32 ``[n, d]``; random by default.
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

    def call(self, rows: Any, draws: Draws | None = None, ids: Any = None) -> Any:
        """Vectors of ``rows`` (int32 ``[n]``), float32 ``[n, d]``, each of length 1.

        ``draws`` are those of a training step, None at rest. ``ids`` ``[items, d]`` replaces E,
        where given.
        """
        has = self._blocks_read(rows, draws)
        parts = [block(rows) * has[:, at, None] for at, block in enumerate(self.blocks)]
        if self._ids is not None:
            parts.append(self._ids(rows, draws=draws, table=ids))
        if not parts:
            return tf.zeros((tf.size(rows), self._config.dimension))
        return tf.math.l2_normalize(tf.add_n(parts), axis=-1)

    def frozen(self, ids: Any = None, lengths: Vectors | None = None) -> FrozenItemTower | None:
        """The tower as it is now, as arrays; None without feature blocks.

        Args:
            ids: Replaces E, where given.
            lengths: Length of each item's vector, float32 ``[items]``; 1 by default.
        """
        if not self.blocks:
            return None
        table = None if self._ids is None else self._ids.frozen(ids)
        projections = {block.block: block.frozen() for block in self.blocks}
        return FrozenItemTower(
            self._config.dimension, self._has.shape[0], projections, table, lengths
        )

    def _blocks_read(self, rows: Any, draws: Draws | None) -> Any:
        """1 where a block counts and 0 where it is left out, float32 ``[n, blocks]``."""
        has = tf.gather(self._has, rows)
        share = self._config.block_dropout
        if draws is None or share == 0:
            return has
        # Drawn below 0 where an item lacks a block: the highest draw is of one that it has.
        drawn = tf.where(has > 0, draws.uniform(tf.shape(has)), -1.0)
        highest = tf.reduce_max(drawn, axis=1, keepdims=True)
        return has * tf.cast((drawn >= share) | (drawn == highest), tf.float32)


class _BlockTower(tf_keras.layers.Layer):  # type: ignore[misc]
    """One feature block, standardised and projected; undefined for items that lack it.

    ``offset`` is the first coordinate of its vector where the projection begins as identity.
    """

    def __init__(self, config: TowersConfig, block: FeatureBlock, offset: int) -> None:
        super().__init__(name=f"block_{block.name}")
        self.block = block.name
        self._centre, self._scale = centre_and_scale(block.vectors[block.mask])
        begin: Any = Identity(offset) if config.initial == "identity" else "glorot_uniform"
        *hidden, width = config.projection_widths
        if hidden:
            first = build_projection(block, hidden[0], activation="gelu")
            last = tf_keras.layers.Dense(width, kernel_initializer=begin)
            self._projections = [first, last]
        else:
            self._projections = [build_projection(block, width, kernel_initializer=begin)]

    def call(self, rows: Any) -> Any:
        x = rows
        for layer in self._projections:
            x = layer(x)
        return x

    def frozen(self) -> FrozenProjection:
        """The projection as it is now, as arrays."""
        layers = (layer.get_weights() for layer in self._projections)
        return FrozenProjection(
            self._centre, self._scale, tuple((kernel, bias) for kernel, bias in layers)
        )
