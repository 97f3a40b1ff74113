"""Losses: how a batch of query vectors is held against its taken items and what was not taken.

Each loss says which items it needs (:meth:`candidates`) and computes itself from their vectors
(:meth:`compute`); the model between them runs the item tower only on what is needed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys._tf import tf, tfrs
from recsys.towers.loss_configs import FullSoftmax, InBatchSoftmax, LossConfig, SampledSoftmax

Counts = npt.NDArray[np.int64]


def build_loss(config: LossConfig, item_counts: Counts) -> Loss:
    """The loss that ``config`` names.

    Args:
        config: Its name and settings.
        item_counts: How often each item was met in training, int ``[items]``.
    """
    if isinstance(config, FullSoftmax):
        return _Full(config, item_counts)
    if isinstance(config, InBatchSoftmax):
        return _Sampled(config, item_counts, negatives=0)
    assert isinstance(config, SampledSoftmax)
    return _Sampled(config, item_counts, negatives=config.negatives)


class Loss(ABC):
    """One loss. Rows are int32 tensors; vectors float32 of length 1."""

    @abstractmethod
    def candidates(self, positives: Any) -> Any:
        """The rows ``[c]`` that the queries with these positives ``[p]`` are scored against."""

    @abstractmethod
    def compute(
        self, queries: Any, candidate_vectors: Any, positives: Any, candidates: Any, weights: Any
    ) -> Any:
        """The mean loss of ``queries`` ``[p, d]`` over ``candidate_vectors`` ``[c, d]``."""


class _Full(Loss):
    """-log softmax(q . v / temperature)[positive], over every warm item."""

    def __init__(self, config: FullSoftmax, item_counts: Counts) -> None:
        self._temperature = config.temperature
        warm = np.flatnonzero(item_counts > 0)
        places = np.zeros(len(item_counts), np.int32)
        places[warm] = np.arange(len(warm))
        self._warm = tf.constant(warm, tf.int32)
        self._places = tf.constant(places, tf.int32)

    def candidates(self, positives: Any) -> Any:
        return self._warm

    def compute(
        self, queries: Any, candidate_vectors: Any, positives: Any, candidates: Any, weights: Any
    ) -> Any:
        scores = tf.matmul(queries / self._temperature, candidate_vectors, transpose_b=True)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=tf.gather(self._places, positives), logits=scores
        )
        return tf.reduce_sum(losses * weights) / tf.reduce_sum(weights)


class _Sampled(Loss):
    """The same over the positives of the batch, and uniform negatives where there are any.

    s = q . v / temperature - log Q(v), where Q is how often v is expected among the candidates:
    p count(v) / sum(count) from the p positives, and n / items from the n uniform negatives
    (logQ, Yi et al. 2019, eq. 3; mixed sampling, Yang et al. 2020). A candidate equal to a
    query's positive but not its own (an accidental hit) is masked.
    """

    def __init__(
        self, config: InBatchSoftmax | SampledSoftmax, item_counts: Counts, *, negatives: int
    ) -> None:
        self._negatives = negatives
        self._share = tf.constant(item_counts / max(int(item_counts.sum()), 1), tf.float32)
        self._warm = tf.constant(np.flatnonzero(item_counts > 0), tf.int32)
        self._task = tfrs.tasks.Retrieval(
            loss=tf.keras.losses.CategoricalCrossentropy(from_logits=True, reduction="sum"),
            temperature=config.temperature,
            remove_accidental_hits=True,
        )

    def candidates(self, positives: Any) -> Any:
        if self._negatives == 0:
            return positives
        warm = tf.size(self._warm)
        drawn = tf.random.uniform((self._negatives,), maxval=warm, dtype=tf.int32)
        return tf.concat([positives, tf.gather(self._warm, drawn)], axis=0)

    def compute(
        self, queries: Any, candidate_vectors: Any, positives: Any, candidates: Any, weights: Any
    ) -> Any:
        batch = tf.cast(tf.size(positives), tf.float32)
        warm = tf.cast(tf.size(self._warm), tf.float32)
        expected = batch * tf.gather(self._share, candidates) + self._negatives / warm
        total = self._task(
            queries,
            candidate_vectors,
            sample_weight=weights,
            # TFRS clips probabilities to [1e-6, 1]; a common factor does not change the softmax.
            candidate_sampling_probability=expected / tf.reduce_max(expected),
            candidate_ids=candidates,
            compute_metrics=False,
            compute_batch_metrics=False,
        )
        return total / tf.reduce_sum(weights)
