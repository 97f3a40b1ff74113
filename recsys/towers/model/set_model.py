"""The two towers as one TFRS model, trained on whole users: for losses over sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recsys._tf import tf
from recsys.errors import ConfigError
from recsys.features import FeatureBlock
from recsys.ids import Vectors
from recsys.interactions import Interactions
from recsys.towers.config import TowersConfig, TrainConfig
from recsys.towers.draws import Draws
from recsys.towers.losses.configs import SetSoftmax
from recsys.towers.losses.softmax import log_sum_exp
from recsys.towers.model.two_towers import TwoTowers


class SetModel(TwoTowers):
    """For a batch of users u with items I_u, over all warm items j,

        L = sum over u, i in I_u of w_ui ( log sum_j exp(q_u . v_j / T) - q_u . v_i / T ) / n,

    the multinomial likelihood of Mult-VAE (Liang et al. 2018, eq. 2) of a cosine divided by a
    temperature T (Wu et al. 2022), with q_u from the user's id, their vector of another model and a
    history: a random share of their items. Under ``counts = "users"`` the w of a user sum to 1 and
    n is the number of users, otherwise the w have the mean 1 over the log and n is that of pairs.

    Args:
        loss: The loss.
        towers, log, blocks, user_block: As in :class:`recsys.towers.model.two_towers.TwoTowers`.

    Raises:
        ConfigError: The towers read what belongs to a moment, as search terms or context.
    """

    def __init__(
        self,
        towers: TowersConfig,
        train: TrainConfig,
        log: Interactions,
        blocks: Sequence[FeatureBlock],
        phrase_vectors: Vectors,
        user_block: FeatureBlock | None = None,
    ) -> None:
        reads_terms = towers.terms != "none" and phrase_vectors.shape[1] > 0
        if towers.context or reads_terms:
            raise ConfigError(
                "train.loss 'set-softmax' knows users and no moments, so that it cannot train on"
                " search terms or context: set towers.terms = 'none' and no towers.context, or"
                " train.loss.name = 'full-softmax'",
                field="train.loss.name",
            )
        super().__init__(towers, log, blocks, phrase_vectors, user_block, seed=train.seed)
        assert isinstance(train.loss, SetSoftmax)
        self._temperature, self._of_users = train.loss.temperature, train.loss.counts == "users"
        warm = np.flatnonzero(log.warm)
        positions = np.zeros(len(log.items), np.int32)
        positions[warm] = np.arange(len(warm))
        self._warm, self._positions = tf.constant(warm, tf.int32), tf.constant(positions, tf.int32)
        self._terms = phrase_vectors.shape[1]

    def compute_loss(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """The mean loss over a batch (see ``set_batches.load_sets``)."""
        queries, vectors = self._encoded(inputs, Draws(inputs["seed"]) if training else None)
        return multinomial(
            queries / self._temperature,
            vectors,
            of=inputs["of"],
            positives=tf.gather(self._positions, inputs["item"]),
            weights=inputs["weight"],
            count=None if self._of_users else tf.size(inputs["weight"]),
        )

    def queries(self, inputs: Mapping[str, Any]) -> Any:
        """The query vectors ``[b, d]`` of a batch's users, nothing left out of them."""
        return self._encoded(inputs, None)[0]

    def _encoded(self, inputs: Mapping[str, Any], draws: Draws | None) -> tuple[Any, Any]:
        """Query vectors ``[b, d]``, and those of the warm items ``[w, d]``."""
        users, items = self.tables()
        vectors = self.item_tower(self._warm, draws=draws, ids=items)  # (w, d)
        history = tf.gather(vectors, tf.gather(self._positions, inputs["history"]))
        states = self.query_tower.states(history, None, draws=draws)
        ones = tf.ones_like(inputs["user"], tf.float32)
        query = {
            "state": tf.gather(states, inputs["length"], batch_dims=1),
            "user": inputs["user"],
            "user_known": ones,
            "terms": tf.zeros((tf.size(ones), self._terms)),
            "terms_known": tf.zeros_like(ones),
        }
        return self.query_tower(query, draws=draws, users=users), vectors  # (b, d), (w, d)


def multinomial(
    queries: Any,
    vectors: Any,
    *,
    of: Any,
    positives: Any,
    weights: Any,
    count: Any = None,
    never: Any = None,
) -> Any:
    """The weighted mean of log sum_j exp(q . v_j) - q . v_i over pairs of a query and a positive.

    Args:
        queries: float32 ``[b, d]``, divided by the temperature.
        vectors: float32 ``[w, d]``, of all candidates.
        of: The query of each pair, int32 ``[p]``, ascending.
        positives: Its row in ``vectors``, int32 ``[p]``.
        weights: float32 ``[p]``; where all are 0 the loss is.
        count: Divisor; None for the sum of the weights.
        never: Pairs of a query and a row of ``vectors`` that the sum leaves out, int32 ``[n, 2]``.
    """
    totals = log_sum_exp(queries, vectors, masked=never)  # (b,)
    own = tf.reduce_sum(tf.gather(queries, of) * tf.gather(vectors, positives), axis=1)
    losses = tf.gather(totals, of) - own
    total = tf.reduce_sum(weights) if count is None else tf.cast(count, tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(losses * weights), total)
