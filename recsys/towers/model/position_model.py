"""The two towers as one TFRS model, trained on every position of every history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recsys._tf import tf
from recsys.features import FeatureBlock
from recsys.ids import Vectors
from recsys.interactions import Interactions
from recsys.towers.config import TowersConfig, TrainConfig
from recsys.towers.draws import Draws
from recsys.towers.histories.build import Times
from recsys.towers.losses.build import LossInput, build_loss
from recsys.towers.losses.configs import SetSoftmax
from recsys.towers.model.two_towers import TwoTowers


class TwoTowerModel(TwoTowers):
    """Query tower x item tower, trained on every position of every history at once.

    A history enters the query tower as vectors of the item tower, in training as in serving, so
    that cold items in a history count and gradients reach all of its items.

    Args:
        train: Configuration of the training.
        config, log, blocks, phrase_vectors, user_block: As in :class:`TwoTowers`.
    """

    def __init__(
        self,
        config: TowersConfig,
        train: TrainConfig,
        log: Interactions,
        blocks: Sequence[FeatureBlock],
        phrase_vectors: Vectors,
        user_block: FeatureBlock | None = None,
    ) -> None:
        super().__init__(config, log, blocks, phrase_vectors, user_block, seed=train.seed)
        self._context = config.context
        assert not isinstance(train.loss, SetSoftmax)
        self._loss = build_loss(train.loss, log)
        self._phrases = tf.constant(phrase_vectors, tf.float32)
        self._phrase_known = tf.constant(phrase_vectors.any(axis=1))

    def compute_loss(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """The mean loss over the real positions of a batch (see ``batches.load_batches``)."""
        positives = tf.gather_nd(inputs["item"], tf.where(inputs["weight"] > 0))
        draws = Draws(inputs["seed"])
        candidates = self._loss.candidates(positives, draws)
        return self._loss.compute(self._positions(inputs, candidates, draws if training else None))

    def queries(self, inputs: Mapping[str, Any]) -> Any:
        """The query vectors ``[p, d]`` of a batch's real positions, nothing left out of them."""
        none = tf.zeros((0,), tf.int32)
        return self._positions(inputs, none, None).queries

    def _positions(
        self, inputs: Mapping[str, Any], candidates: Any, draws: Draws | None
    ) -> LossInput:
        real = inputs["weight"] > 0  # (b, l)
        # One list of the real positions for all tensors: a mask per tensor is slow to trace.
        positions = tf.where(real)  # (p, 2)
        # Each item is encoded once per step, however often it occurs.
        history = tf.reshape(inputs["item"], [-1])
        rows, indices = tf.unique(tf.concat([candidates, history], axis=0))
        of_users, of_items = self.tables()
        vectors = self.item_tower(rows, draws=draws, ids=of_items)
        among_candidates, in_history = tf.split(indices, [tf.size(candidates), tf.size(history)])
        history_vectors = tf.reshape(
            tf.gather(vectors, in_history), [*_shape(inputs["item"]), vectors.shape[1]]
        )
        positive_vectors = tf.gather_nd(history_vectors, positions)  # (p, d)
        states = self.query_tower.states(
            history_vectors[:, :-1], _times_of(inputs), draws=draws
        )  # (b, l, d)
        queries = self.query_tower(
            self._query_inputs(inputs, states, positions), draws=draws, users=of_users
        )  # (p, d)
        window, position = tf.unstack(tf.cast(positions, tf.int32), axis=1)
        return LossInput(
            queries=queries,
            positives=tf.gather_nd(inputs["item"], positions),
            positive_vectors=positive_vectors,
            weights=tf.gather_nd(inputs["weight"], positions),
            candidates=candidates,
            candidate_vectors=tf.gather(vectors, among_candidates),
            windows=tf.where(real, inputs["item"], -1),
            users=inputs["user"],
            window=window,
            position=position,
        )

    def _query_inputs(
        self, inputs: Mapping[str, Any], states: Any, positions: Any
    ) -> dict[str, Any]:
        terms = tf.gather_nd(inputs["terms"], positions)
        user = tf.gather(inputs["user"], positions[:, 0])
        ones = tf.ones_like(user, tf.float32)
        return {
            "state": tf.gather_nd(states, positions),
            "user": user,
            "user_known": ones,
            "terms": tf.gather(self._phrases, terms),
            "terms_known": tf.cast(tf.gather(self._phrase_known, terms), tf.float32),
            **{
                f"context_{name}": tf.gather_nd(inputs[f"context_{name}"], positions)
                for name in self._context
            },
            **{f"context_{name}_known": ones for name in self._context},
        }


def _times_of(inputs: Mapping[str, Any]) -> Times | None:
    if "seconds" not in inputs:
        return None
    return Times(inputs["seconds"][:, :-1], tf.ones_like(inputs["seconds"][:, 0]))


def _shape(tensor: Any) -> tuple[Any, Any]:
    return tf.shape(tensor)[0], tf.shape(tensor)[1]
