"""The parts of a training step of the towers, each to be run by itself, forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.tower_steps import Tensors, TowerSteps
from recsys._tf import tf
from recsys.interactions import Interactions
from recsys.towers import TrainConfig
from recsys.towers.losses.build import LossInput, build_loss

Run = Callable[[], Any]


class TowerParts:
    """Parts of the steps of ``steps``, for a loss over every warm item.

    Each method takes a batch, makes ready what the part is given, and returns what runs the part
    alone. As gradient of what a part gives, it takes that itself: the cost is the same.

    Args:
        steps: Its model and optimizer are used, and moved.
        log: Training interactions.
        train: How the towers are trained.
    """

    def __init__(self, steps: TowerSteps, log: Interactions, train: TrainConfig) -> None:
        self._model, self._optimizer = steps.model, steps.optimizer
        self._loss = build_loss(train.loss, log)
        self._warm = tf.constant(np.flatnonzero(log.warm), tf.int32)
        self._table = tf.constant(self._model.item_vectors())
        self._run = {
            name: tf.function(part, reduce_retracing=True)
            for name, part in {
                "item_tower": self._item_tower,
                "history": self._history,
                "softmax": self._softmax,
                "gradients": self._gradients,
                "optimizer": self._apply,
            }.items()
        }

    def item_tower(self, batch: Tensors) -> Run:
        """Vectors of all items of a step, and the gradients of the item tower's weights."""
        return lambda: self._run["item_tower"](self._warm)

    def history(self, batch: Tensors) -> Run:
        """States of the batch's histories, and the gradients of the vectors and weights."""
        met = tf.gather(self._table, batch["item"][:, :-1])
        return lambda: self._run["history"](met)

    def softmax(self, batch: Tensors) -> Run:
        """The loss, and the gradients of the queries and of the items' vectors."""
        queries = self._model.queries(batch)
        return lambda: self._run["softmax"](batch, queries, self._table)

    def optimizer(self, batch: Tensors) -> Run:
        """A step of the optimizer with the gradients of the whole step."""
        gradients = self._run["gradients"](batch)
        return lambda: self._run["optimizer"](gradients)

    def _item_tower(self, rows: Any) -> Any:
        tower = self._model.item_tower
        with tf.GradientTape() as tape:
            vectors = tower(rows, training=True)
        return tape.gradient(vectors, tower.trainable_variables, output_gradients=vectors)

    def _history(self, met: Any) -> Any:
        tower = self._model.query_tower
        with tf.GradientTape() as tape:
            tape.watch(met)
            states = tower.states(met, None, training=True)
        sources = [met, *tower.trainable_variables]
        return tape.gradient(states, sources, output_gradients=states)

    def _softmax(self, batch: Tensors, queries: Any, table: Any) -> Any:
        real = batch["weight"] > 0
        window, place = tf.unstack(tf.cast(tf.where(real), tf.int32), axis=1)
        positives = tf.boolean_mask(batch["item"], real)
        candidates = self._loss.candidates(positives)
        vectors, taken = tf.gather(table, candidates), tf.gather(table, positives)
        with tf.GradientTape() as tape:
            tape.watch([queries, vectors, taken])
            loss = self._loss.compute(
                LossInput(
                    queries=queries,
                    positives=positives,
                    positive_vectors=taken,
                    weights=tf.boolean_mask(batch["weight"], real),
                    candidates=candidates,
                    candidate_vectors=vectors,
                    windows=tf.where(real, batch["item"], -1),
                    users=batch["user"],
                    window=window,
                    position=place,
                )
            )
        return loss, tape.gradient(loss, [queries, vectors, taken])

    def _gradients(self, batch: Tensors) -> Any:
        with tf.GradientTape() as tape:
            loss = self._model.compute_loss(batch, training=True)
        return tape.gradient(loss, self._model.trainable_variables)

    def _apply(self, gradients: Any) -> None:
        self._optimizer.apply_gradients(zip(gradients, self._model.trainable_variables))
