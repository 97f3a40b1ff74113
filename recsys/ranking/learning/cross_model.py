"""The deep and cross network in training, in TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recsys._tf import tf, tf_keras, tfrs
from recsys.ids import Vectors
from recsys.ranking.config import CrossConfig
from recsys.ranking.scorers.cross import CrossScorer
from recsys.towers.model.initializers import short

_ABSENT = -1e9


class CrossModel(tfrs.Model):  # type: ignore[misc]
    """:class:`recsys.ranking.scorers.cross.CrossScorer` in training.

    Args:
        config: Sizes.
        features: Names of the features.
        centre: Mean of each feature, float32 ``[f]``.
        scale: Divisor of each feature, float32 ``[f]``.
        items: m, the number of items.
        item_vectors: The towers' item vectors, float32 ``[m, d]``, which are not trained; None
            for none.
        vocabulary: Words with a trained vector.
        graded: Whether a second output is trained on grades.
    """

    def __init__(
        self,
        config: CrossConfig,
        features: tuple[str, ...],
        centre: Vectors,
        scale: Vectors,
        *,
        items: int,
        item_vectors: Vectors | None,
        vocabulary: tuple[str, ...],
        graded: bool,
    ) -> None:
        super().__init__()
        self._config, self._features, self._vocabulary = config, features, vocabulary
        self._centre, self._scale, self._graded = centre, scale, graded
        given = np.zeros((items, 0), np.float32) if item_vectors is None else item_vectors
        self._given = tf.constant(given)
        k, d = config.dimension, given.shape[1]
        self._items = self.add_weight("items", (items, k), initializer=short())
        self._history = self.add_weight("history", (items, k), initializer=short())
        self._words = self.add_weight("words", (len(vocabulary), k), initializer=short())
        self._of_items = self.add_weight("of_items", (d, k), initializer="glorot_uniform")
        self._of_history = self.add_weight("of_history", (d, k), initializer="glorot_uniform")
        self._positions = self.add_weight("positions", (config.window,), initializer="zeros")
        self._width = len(features) + 5 * k
        self._crosses = [tfrs.layers.dcn.Cross() for _ in range(config.crosses)]
        widths = [*config.hidden, 2 if graded else 1]
        self._deep = [tf_keras.layers.Dense(width) for width in widths]
        self._task = tfrs.tasks.Ranking(
            loss=tf_keras.losses.CategoricalCrossentropy(from_logits=True)
        )
        self._grades = tfrs.tasks.Ranking(loss=tf_keras.losses.MeanSquaredError())

    def compute_loss(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """Mean cross-entropy of the requests of a batch, plus the losses of grades and vectors.

        The taken items of a request are predicted among all of its items, of which a drawn one
        stands for several.
        """
        outputs = self._outputs(inputs)
        at = tf.stack([inputs["owner"], inputs["column"]], axis=1)
        shape = (tf.shape(inputs["history"])[0], tf.reduce_max(inputs["column"]) + 1)
        taken = tf.scatter_nd(at, inputs["taken"], shape)
        logits = tf.tensor_scatter_nd_update(
            tf.fill(shape, _ABSENT), at, outputs[:, 0] + tf.math.log(inputs["weights"])
        )
        shares = taken / tf.reduce_sum(taken, axis=1, keepdims=True)
        loss = self._task(shares, logits, compute_metrics=False)
        if self._graded:
            errors = self._grades(
                inputs["grades"][:, None],
                outputs[:, 1:],
                inputs["graded"][:, None],
                compute_metrics=False,
            )
            loss += (
                errors
                * tf.cast(tf.size(inputs["graded"]), tf.float32)
                / tf.maximum(tf.reduce_sum(inputs["graded"]), 1.0)
            )
        tables = (self._items, self._history, self._words)
        return loss + self._config.l2 * sum(tf.reduce_sum(table**2) for table in tables)

    def freeze(self) -> CrossScorer:
        """A copy of the network in its current state."""
        return CrossScorer(
            self._features,
            self._centre,
            self._scale,
            self._config.window,
            self._vocabulary,
            self._items.numpy(),
            self._history.numpy(),
            self._words.numpy(),
            (self._of_items.numpy(), self._of_history.numpy()),
            self._positions.numpy(),
            tuple(tuple(cross.get_weights()) for cross in self._crosses),
            tuple(tuple(layer.get_weights()) for layer in self._deep),
        )

    def _outputs(self, inputs: Mapping[str, Any]) -> Any:
        """Outputs of the n items of a batch of b requests, float32 ``[n, 1 or 2]``."""
        rows, owner, past = inputs["rows"], inputs["owner"], inputs["history"]
        items = tf.gather(self._items, rows) + tf.matmul(
            tf.gather(self._given, rows), self._of_items
        )
        vectors = tf.gather(self._history, past) + tf.tensordot(
            tf.gather(self._given, past), self._of_history, 1
        )
        attended = self._attended(
            items, tf.gather(vectors, owner), tf.gather(inputs["real"], owner)
        )
        searched = tf.gather(self._searched(inputs), owner)
        parts = [inputs["values"], items, attended, items * attended, searched, items * searched]
        crossed = inputs_of_layers = tf.ensure_shape(tf.concat(parts, axis=1), (None, self._width))
        for cross in self._crosses:
            crossed = cross(inputs_of_layers, crossed)
        for at, layer in enumerate(self._deep):
            crossed = layer(self._drop(tf.nn.relu(crossed), inputs["seed"] + at) if at else crossed)
        return crossed

    def _attended(self, items: Any, past: Any, real: Any) -> Any:
        """``[n, k]``, ``[n, w, k]`` and ``[n, w]`` to ``[n, k]``; zeros for an empty history."""
        logits = tf.einsum("nk,nwk->nw", items, past) / float(np.sqrt(self._config.dimension))
        # A history is aligned at its end, with the last item at position w - 1.
        logits += self._positions[::-1] + _ABSENT * (1 - real)
        weights = tf.nn.softmax(logits) * real
        return tf.einsum("nw,nwk->nk", weights, past)

    def _searched(self, inputs: Mapping[str, Any]) -> Any:
        """Mean vector of each request's words, ``[b, k]``; zeros without any."""
        words, owner, size = inputs["words"], inputs["word_owner"], tf.shape(inputs["history"])[0]
        sums = tf.math.unsorted_segment_sum(tf.gather(self._words, words), owner, size)
        counts = tf.math.unsorted_segment_sum(tf.ones_like(words, tf.float32), owner, size)
        return sums / tf.maximum(counts, 1)[:, None]

    def _drop(self, hidden: Any, seed: Any) -> Any:
        share = self._config.dropout
        if not share:
            return hidden
        # Stateless, so that an interrupted training continues as without the interruption.
        drawn = tf.random.stateless_uniform(tf.shape(hidden), seed=seed)
        return tf.where(drawn >= share, hidden / (1 - share), 0.0)
