"""The model of TensorFlow Recommenders' own tutorial, "basic retrieval".

The model of https://www.tensorflow.org/recommenders/examples/basic_retrieval: a vector of 32
numbers per user and item, ``tfrs.tasks.Retrieval`` (in-batch softmax of inner products, summed over
the batch), Adagrad at 0.1, batches of 8,192 interactions. For speed it has no metrics in the
training step, rows instead of a string look-up, and no input pipeline. Each epoch is shuffled,
where the tutorial caches one order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys._tf import compiled, tf, tf_keras, tfrs
from recsys.evaluation import VectorScorer
from recsys.ids import Vectors
from recsys.interactions import Interactions

DIMENSION, BATCH, RATE = 32, 8192, 0.1


class TfrsTutorial:
    """The tutorial's model on one log; a user is known by the id only."""

    def __init__(self, log: Interactions, *, seed: int, dimension: int = DIMENSION) -> None:
        tf_keras.utils.set_random_seed(seed)
        self._log, self._seed = log, seed
        self._model = _Model(len(log.users), len(log.items), dimension)
        self._model.compile(optimizer=tf_keras.optimizers.Adagrad(learning_rate=RATE))
        self._model.optimizer.build(self._model.trainable_variables)
        self._done = 0
        rows = tf.TensorSpec([None], tf.int32)
        self._train_step = compiled(
            self._model.train_step, input_signature=[{"user": rows, "item": rows}]
        )

    def epoch(self) -> float:
        """Train on every interaction once, in random order; the mean loss per interaction."""
        self._done += 1
        order = np.random.default_rng([self._seed, self._done]).permutation(len(self._log))
        losses = [self.step(order[at : at + BATCH]) for at in range(0, len(order), BATCH)]
        return sum(losses) / len(order)

    def step(self, indices: npt.NDArray[np.int64]) -> float:
        """Train on some interactions of the log; the sum of their losses."""
        batch = {"user": self._log.user[indices], "item": self._log.item[indices]}
        tensors = {name: tf.constant(rows, tf.int32) for name, rows in batch.items()}
        return float(self._train_step(tensors)["loss"])

    @property
    def user_vectors(self) -> Vectors:
        """Current user vectors, float32 ``[users, dimension]``."""
        return self._model.vectors("user")

    @property
    def item_vectors(self) -> Vectors:
        """Current item vectors, float32 ``[items, dimension]``."""
        return self._model.vectors("item")

    def scorer(self, name: str = "tfrs_tutorial") -> VectorScorer:
        """Scorer by the inner product of the current vectors."""
        users = self.user_vectors
        return VectorScorer(name, self.item_vectors, lambda queries: users[queries.user])


class _Model(tfrs.Model):  # type: ignore[misc]
    def __init__(self, users: int, items: int, dimension: int) -> None:
        super().__init__()
        self._towers = {
            "user": tf_keras.layers.Embedding(users, dimension),
            "item": tf_keras.layers.Embedding(items, dimension),
        }
        for tower in self._towers.values():
            tower.build(None)
        self._task = tfrs.tasks.Retrieval()

    def compute_loss(self, inputs: dict[str, Any], training: bool = False) -> Any:
        vectors = [tower(inputs[side]) for side, tower in self._towers.items()]
        return self._task(*vectors, compute_metrics=False)

    def vectors(self, side: str) -> Vectors:
        found: Vectors = self._towers[side].embeddings.numpy()
        return found
