"""The id vectors of items: one trained vector per item that training has interactions of."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys._tf import tf, tf_keras
from recsys.ids import Mask, Vectors
from recsys.towers.config import TowersConfig
from recsys.towers.draws import Draws
from recsys.towers.model.initializers import ShortWhere, short


class ItemIds(tf_keras.layers.Layer):  # type: ignore[misc]
    """E[i], and zeros for a cold item, whose row is never trained.

    A random share of the others is left out in training (dropout of the id, as in DropoutNet,
    Volkovs et al. 2017): the content must then stand for the item. Under ``item_id = "delta"`` E
    begins at zero for every item that has content, and each step adds to the loss

        delta_l2 * mean over the step's items of |E[i]|^2,

    so that an item stays near its content unless its interactions say otherwise (collaborative
    topic regression, Wang & Blei 2011; VBPR, He & McAuley 2016). A cold item is then the initial
    vector of a warm one.

    Args:
        config: Sizes, and the kind of id.
        warm: Whether training has an interaction of each item, bool ``[items]``.
        described: Whether each item has content, bool ``[items]``.
        begin: Initial E, float32 ``[items, d]``, or None.
    """

    def __init__(
        self, config: TowersConfig, warm: Mask, described: Mask, begin: Vectors | None = None
    ) -> None:
        super().__init__(name="item_ids")
        self._config = config
        self._warm = tf.constant(warm, tf.float32)
        first = short()
        if begin is not None:
            first = tf_keras.initializers.Constant(begin)
        elif config.item_id == "delta":
            first = ShortWhere(np.logical_not(described))
        self.table = self.add_weight(
            name="item_id", shape=(len(warm), config.dimension), initializer=first
        )

    def call(self, rows: Any, draws: Draws | None = None, table: Any = None) -> Any:
        """Vectors ``[n, d]`` of ``rows``, zeros where left out.

        ``draws`` are those of a training step, None at rest. ``table`` ``[items, d]`` replaces E,
        where given.
        """
        read = tf.gather(self._warm, rows)
        if draws is not None:
            read = draws.keep(read, dropout=self._config.id_dropout)
        vectors = tf.gather(self.table if table is None else table, rows) * read[:, None]
        if draws is not None and self._config.item_id == "delta" and self._config.delta_l2 > 0:
            lengths = tf.reduce_sum(tf.square(vectors), axis=1)
            self.add_loss(self._config.delta_l2 * tf.reduce_mean(lengths))
        return vectors

    def frozen(self, table: Any = None) -> Vectors:
        """E, or ``table`` in its place, with zeros for cold items, float32 ``[items, d]``."""
        chosen = self.table if table is None else table
        vectors: Vectors = (chosen * self._warm[:, None]).numpy()
        return vectors
