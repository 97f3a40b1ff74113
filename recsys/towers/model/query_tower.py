"""The query tower: a history, and where known a user, search terms and context, to one vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recsys._tf import tf, tf_keras
from recsys.features import USER_VECTORS, FeatureBlock
from recsys.ids import Vectors
from recsys.towers.config import TowersConfig
from recsys.towers.draws import Draws
from recsys.towers.histories.build import Times, build_history_encoder
from recsys.towers.model.initializers import Identity, short
from recsys.towers.model.scaling import standardised


class QueryTower(tf_keras.Model):  # type: ignore[misc]
    """q = normalise( h + U[user] + P x[user] + T terms + sum over columns c of C_c[value] ).

    h is the history encoder's state. x holds the standardised vectors of users that another model
    trained; the table is one of the tower's weights, though never trained, so that a saved tower is
    complete. Each summand after h is left out where its input is unknown, so that any combination
    of inputs is a query in the same space. U begins at zero: a user unknown to training is encoded
    as an unknown one.

    Args:
        config: Sizes and inputs.
        users: Number of users.
        context_sizes: Number of values of each context column.
        user_block: Vectors of the users, or None.
        terms_centre: Mean of the encoded terms, float32 ``[t]``; a projection that begins as
            identity subtracts it, as blocks are centred.
        begin: Initial U, float32 ``[users, d]``; zeros by default.
    """

    def __init__(
        self,
        config: TowersConfig,
        users: int,
        context_sizes: Mapping[str, int],
        user_block: FeatureBlock | None = None,
        terms_centre: Vectors | None = None,
        *,
        begin: Vectors | None = None,
    ) -> None:
        super().__init__(name="query_tower")
        self._config = config
        self._history = build_history_encoder(config)
        self._users = None
        if config.user_id == "embedding":
            first = "zeros" if begin is None else tf_keras.initializers.Constant(begin)
            self._users = tf_keras.layers.Embedding(
                max(users, 1), config.dimension, embeddings_initializer=first, name="user_id"
            )
            self._users.build(None)
        self._user_vectors = None
        if config.user_vectors == "projection" and user_block is not None:
            self._user_vectors = _UserVectors(config.dimension, user_block)
        self._terms = None
        if config.terms == "projection":
            self._terms = _terms(config, terms_centre)
        self._context = {
            name: _embedding(context_sizes[name], config.dimension, f"context_{name}")
            for name in config.context
        }

    @classmethod
    def empty(cls, config: TowersConfig, sizes: Mapping[str, int]) -> QueryTower:
        """A tower with weights of the shapes of ``sizes`` (:class:`recsys.towers.Towers`)."""
        contexts = {name: sizes[f"context_{name}"] for name in config.context}
        width, users = sizes.get("user_vectors", 0), sizes["users"]
        block = None
        if width:
            zeros = np.zeros((users, width), np.float32)
            block = FeatureBlock(zeros, np.zeros(users, np.bool_), USER_VECTORS)
        tower = cls(config, users, contexts, block)
        zero, none = tf.zeros((1,), tf.int32), tf.zeros((1,))
        inputs = {
            "state": tower.states(tf.zeros((1, 1, config.dimension)))[:, -1],
            "user": zero,
            "user_known": none,
            "terms": tf.zeros((1, sizes["terms"])),
            "terms_known": none,
        }
        for name in config.context:
            inputs |= {f"context_{name}": zero, f"context_{name}_known": none}
        tower(inputs)
        return tower

    @property
    def user_table(self) -> Any:
        """U, float32 ``[users, d]``."""
        assert self._users is not None
        return self._users.embeddings

    def states(self, vectors: Any, times: Times | None = None, draws: Draws | None = None) -> Any:
        """States ``[b, t + 1, d]`` of item vectors ``[b, t, d]``, oldest first.

        ``times`` are read by some history encoders; None where they are unknown.
        """
        return self._history(vectors, times, draws=draws)

    def call(self, inputs: Mapping[str, Any], draws: Draws | None = None, users: Any = None) -> Any:
        """Unit vectors ``[n, d]``.

        Args:
            inputs: ``state`` float ``[n, d]``; ``user`` int ``[n]`` and ``user_known`` float
                ``[n]``; ``terms`` float ``[n, t]`` and ``terms_known`` float ``[n]``; per context
                column ``context_NAME`` int ``[n]`` and ``context_NAME_known`` float ``[n]``.
            draws: Random numbers of a training step, which leaves out a share of the known users,
                their vectors and terms; None at rest.
            users: Replaces U, ``[users, d]``, where given.
        """
        total = inputs["state"]
        if self._users is not None:
            known = _drop(inputs["user_known"], self._config.id_dropout, draws)
            table = self.user_table if users is None else users
            total += tf.gather(table, inputs["user"]) * known[:, None]
        if self._user_vectors is not None:
            known = _drop(inputs["user_known"], self._config.user_vectors_dropout, draws)
            total += self._user_vectors(inputs["user"]) * known[:, None]
        if self._terms is not None:
            known = _drop(inputs["terms_known"], self._config.terms_dropout, draws)
            total += self._terms(inputs["terms"]) * known[:, None]
        for name, table in self._context.items():
            known = inputs[f"context_{name}_known"]
            total += table(inputs[f"context_{name}"]) * known[:, None]
        return tf.math.l2_normalize(total, axis=-1)


class _UserVectors(tf_keras.layers.Layer):  # type: ignore[misc]
    """P x[user], and zeros for a user without a vector."""

    def __init__(self, dimension: int, block: FeatureBlock) -> None:
        super().__init__(name="user_vectors")
        self._table = self._constant("table", standardised(block))
        self._mask = self._constant("mask", block.mask.astype(np.float32))
        self._map = tf_keras.layers.Dense(dimension, name="projection")

    def _constant(self, name: str, values: Vectors) -> Any:
        start = tf_keras.initializers.Constant(values)
        return self.add_weight(name=name, shape=values.shape, initializer=start, trainable=False)

    def call(self, rows: Any) -> Any:
        return self._map(tf.gather(self._table, rows)) * tf.gather(self._mask, rows)[:, None]


def _terms(config: TowersConfig, centre: Vectors | None) -> Any:
    if config.initial != "identity":
        return tf_keras.layers.Dense(config.dimension, use_bias=False, name="terms")
    shift = np.zeros(config.dimension, np.float32)
    if centre is not None:
        shift[: len(centre)] = -centre
    return tf_keras.layers.Dense(
        config.dimension,
        kernel_initializer=Identity(),
        bias_initializer=tf_keras.initializers.Constant(shift),
        name="terms",
    )


def _embedding(size: int, dimension: int, name: str) -> Any:
    return tf_keras.layers.Embedding(size, dimension, embeddings_initializer=short(), name=name)


def _drop(known: Any, share: float, draws: Draws | None) -> Any:
    return known if draws is None else draws.keep(known, dropout=share)
