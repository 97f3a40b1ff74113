"""The two towers in training, for every kind of loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys._tf import tf, tfrs
from recsys.features import FeatureBlock, spectral_vectors
from recsys.ids import Vectors
from recsys.interactions import Interactions
from recsys.towers.config import TowersConfig
from recsys.towers.model.frozen_items import FrozenItemTower
from recsys.towers.model.graph import InteractionGraph
from recsys.towers.model.initializers import SHORT
from recsys.towers.model.item_tower import ItemTower
from recsys.towers.model.query_tower import QueryTower

ITEMS_PER_CALL = 65_536
"""Items in one pass through the item tower; bounds memory, not results."""


class TwoTowers(tfrs.Model):  # type: ignore[misc]
    """Both towers, and the graph that smooths their id vectors, if any.

    Args:
        config: The towers.
        log: Training interactions.
        blocks: Feature blocks of the item tower.
        phrase_vectors: Encoded ``log.phrases``, float32 ``[phrases, t]``; zeros where a phrase
            has no vector (as "" never has).
        user_block: Vectors of ``log.users`` from another model, or None.
        seed: Seed of the computations before training.
    """

    def __init__(
        self,
        config: TowersConfig,
        log: Interactions,
        blocks: Sequence[FeatureBlock],
        phrase_vectors: Vectors,
        user_block: FeatureBlock | None = None,
        *,
        seed: int = 0,
    ) -> None:
        super().__init__()
        users, items = None, None
        if config.id_initial == "spectral":
            users, items = spectral_vectors(log, config.dimension, spread=SHORT, seed=seed)
        self.item_tower = ItemTower(config, blocks, log.warm, begin=items)
        sizes = {name: len(values) for name, values in log.context.items()}
        known = phrase_vectors.any(axis=1)
        centre = phrase_vectors[known].mean(axis=0) if known.any() else None
        self.query_tower = QueryTower(
            config, len(log.users), sizes, user_block, centre, begin=users
        )
        counts = np.maximum(log.item_counts, 1).astype(np.float64)
        lengths = (counts / counts.max(initial=1)) ** config.popularity
        self._lengths: Vectors = lengths.astype(np.float32)
        self._unit_length = config.popularity == 0
        self._graph = None
        if config.graph == "light-gcn":
            self._graph = InteractionGraph(log, layers=config.graph_layers)

    def tables(self) -> tuple[Any, Any]:
        """The id vectors of users and of items, smoothed over the graph; None without a graph.

        They replace the towers' own tables, in training and at rest.
        """
        if self._graph is None:
            return None, None
        of_users, of_items = self.query_tower.user_table, self.item_tower.id_table
        return self._graph.propagate(of_users, of_items)

    def item_vectors(self) -> Vectors:
        """Vector of every item, float32 ``[items, d]``, scaled to the lengths of ``popularity``."""
        _, ids = self.tables()
        items = len(self._lengths)
        rows = tf.range(items, dtype=tf.int32)
        parts = [
            self.item_tower(rows[at : at + ITEMS_PER_CALL], ids=ids).numpy()
            for at in range(0, max(items, 1), ITEMS_PER_CALL)
        ]
        vectors: Vectors = np.concatenate(parts) * self._lengths[:, None]
        return vectors

    def frozen_items(self) -> FrozenItemTower | None:
        """The item tower as it is now, as arrays; None without feature blocks."""
        return self.item_tower.frozen(
            self.tables()[1], None if self._unit_length else self._lengths
        )
