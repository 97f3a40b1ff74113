"""The pair networks in training, in TensorFlow."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from recsys._tf import tf, tf_keras, tfrs
from recsys.features import FeatureBlock, mean_of_items
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.ranking.bags import SearchedWords, history_bags, vocabulary
from recsys.ranking.config import SparsePairConfig, VectorPairConfig
from recsys.ranking.head import PairHead
from recsys.ranking.sampling import PairBatch
from recsys.ranking.sparse_network import SparsePairNetwork
from recsys.ranking.vector_network import VectorPairNetwork, scaled
from recsys.towers.model.initializers import short
from recsys.towers.model.scaling import centre_and_scale

Arrays = dict[str, npt.NDArray[Any]]
Network = TypeVar("Network", VectorPairNetwork, SparsePairNetwork)


class PairModel(tfrs.Model, ABC, Generic[Network]):  # type: ignore[misc]
    """A pair network in training."""

    @abstractmethod
    def arrays(self, batch: PairBatch, rng: np.random.Generator) -> Arrays:
        """Inputs of a batch; ``rng`` draws what is left out."""

    @abstractmethod
    def log_odds(self, inputs: Mapping[str, Any]) -> Any:
        """Log-odds ``[b, 1 + n]`` of a batch's pairs; ``seed`` int32 ``[2]`` drives dropout."""

    @abstractmethod
    def freeze(self) -> Network:
        """A copy of the network in its current state."""

    def compute_loss(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """Mean binary cross-entropy of a batch; see ``training``."""
        log_odds, weights = self.log_odds(inputs), inputs["weights"]
        taken = tf.one_hot(tf.zeros_like(inputs["items"][:, 0]), tf.shape(log_odds)[1])
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=taken, logits=log_odds)
        return tf.reduce_sum(losses * weights) / tf.maximum(tf.reduce_sum(weights), 1e-9)


class VectorPairModel(PairModel[VectorPairNetwork]):
    """Reads given vectors, which are not trained."""

    def __init__(self, config: VectorPairConfig, log: Interactions, block: FeatureBlock) -> None:
        super().__init__()
        self._centre, self._scale = centre_and_scale(block.vectors[block.mask & log.warm])
        self._block = scaled(block, self._centre, self._scale)
        self._log, self._config = log, config
        self.head = _Head(block.dimension, config.hidden, config.dropout)

    def arrays(self, batch: PairBatch, rng: np.random.Generator) -> Arrays:
        history = history_bags(self._log, batch.positions, self._config.window)
        present = self._block.mask[batch.items]
        present &= present[:, :1]  # negatives count only where the positive has a vector
        return {
            "items": batch.items,
            "weights": batch.weights * present,
            "users": mean_of_items(self._block, history.rows, history.offsets),
            "vectors": self._block.vectors[batch.items],
        }

    def log_odds(self, inputs: Mapping[str, Any]) -> Any:
        return self.head(inputs["users"], inputs["vectors"], inputs["seed"])

    def freeze(self) -> VectorPairNetwork:
        return VectorPairNetwork(self._config, self._centre, self._scale, self.head.freeze())


class SparsePairModel(PairModel[SparsePairNetwork]):
    """Trains the vectors of items and words too."""

    def __init__(self, config: SparsePairConfig, log: Interactions) -> None:
        super().__init__()
        self._log, self._config = log, config
        reads = config.searches > 0 or config.now
        words = vocabulary(log, config.min_count) if reads else IdMap.of("word", ())
        self._searched = SearchedWords(log, words, config.searches)
        d = config.dimension
        self._items = self.add_weight("items", (len(log.items), d), initializer=short())
        self._words = self.add_weight("words", (len(self._searched.words), d), initializer=short())
        self._mix = self.add_weight("mix", (d, d), initializer="identity")
        self._bias = self.add_weight("bias", (len(log.items),), initializer="zeros")
        self.head = _Head(d, config.hidden, config.dropout)

    def arrays(self, batch: PairBatch, rng: np.random.Generator) -> Arrays:
        history = history_bags(self._log, batch.positions, self._config.window)
        now = np.zeros(len(batch.positions), np.int32)
        if self._config.now:
            read = rng.random(len(now)) >= self._config.now_dropout
            now = np.where(read, self._log.terms[batch.positions], 0)
        searched = self._searched.before(batch.positions, now=now)
        return {
            "items": batch.items,
            "weights": batch.weights,
            "history": history.rows,
            "history_owner": history.owners,
            "searched": searched.rows,
            "searched_owner": searched.owners,
        }

    def log_odds(self, inputs: Mapping[str, Any]) -> Any:
        size = tf.shape(inputs["items"])[0]
        history = _bag_means(self._items, inputs["history"], inputs["history_owner"], size)
        words = _bag_means(self._words, inputs["searched"], inputs["searched_owner"], size)
        vectors = tf.gather(self._items, inputs["items"])
        users = tf.matmul(history, self._mix) + words
        return self.head(users, vectors, inputs["seed"]) + tf.gather(self._bias, inputs["items"])

    def freeze(self) -> SparsePairNetwork:
        warm = self._log.warm
        return SparsePairNetwork(
            self._config,
            self._log.items,
            self._searched.words,
            warm=warm,
            # Vectors of cold items were never trained.
            item_vectors=self._items.numpy() * warm[:, None].astype(np.float32),
            word_vectors=self._words.numpy(),
            mix=self._mix.numpy(),
            bias=self._bias.numpy(),
            head=self.head.freeze(),
        )


class _Head(tf_keras.layers.Layer):  # type: ignore[misc]
    """:class:`recsys.ranking.head.PairHead`, with dropout between the layers."""

    def __init__(self, dimension: int, hidden: Sequence[int], dropout: float) -> None:
        super().__init__(name="head")
        self._dropout = dropout
        widths = [4 * dimension, *hidden, 1]
        self._layers = [
            (
                self.add_weight(f"kernel_{at}", shape, initializer="glorot_uniform"),
                self.add_weight(f"bias_{at}", shape[1:], initializer="zeros"),
            )
            for at, shape in enumerate(zip(widths, widths[1:]))
        ]

    def call(self, users: Any, vectors: Any, seed: Any) -> Any:
        """``[b, d]`` and ``[b, c, d]`` to ``[b, c]``."""
        u = tf.broadcast_to(users[:, None], tf.shape(vectors))
        hidden = tf.concat([u, vectors, u * vectors, tf.abs(u - vectors)], axis=-1)
        for at, (kernel, bias) in enumerate(self._layers):
            if at:
                hidden = self._drop(tf.nn.relu(hidden), seed + [at, 0])
            hidden = tf.einsum("bci,io->bco", hidden, kernel) + bias
        return hidden[..., 0]

    def freeze(self) -> PairHead:
        return PairHead(tuple((kernel.numpy(), bias.numpy()) for kernel, bias in self._layers))

    def _drop(self, hidden: Any, seed: Any) -> Any:
        if not self._dropout:
            return hidden
        # Stateless, so that an interrupted training continues as without the interruption.
        drawn = tf.random.stateless_uniform(tf.shape(hidden), seed=seed)
        return tf.where(drawn >= self._dropout, hidden / (1 - self._dropout), 0.0)


def _bag_means(table: Any, rows: Any, owners: Any, size: Any) -> Any:
    """Mean vector of each bag, ``[size, d]``; zeros for an empty one."""
    sums = tf.math.unsorted_segment_sum(tf.gather(table, rows), owners, size)
    counts = tf.math.unsorted_segment_sum(tf.ones_like(rows, tf.float32), owners, size)
    return sums / tf.maximum(counts, 1)[:, None]
