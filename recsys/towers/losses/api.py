"""Interface of a loss, and its input."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from recsys._tf import tf
from recsys.towers.draws import Draws


@dataclass(frozen=True, eq=False)
class LossInput:
    """Queries of a batch with their positives, and the candidates that all of them share.

    Each query stands for one position in a window of a user's history. Tensors; rows are int32,
    vectors float32, of length 1 where the towers made them.

    Attributes:
        queries: Query vectors, ``[p, d]``.
        positives: Row of each query's target item, ``[p]``.
        positive_vectors: Vectors of the positives, ``[p, d]``.
        weights: Weights of the queries, ``[p]``, at least 0; their mean over the training log is 1.
        candidates: Distinct rows, ``[c]``, from :meth:`Loss.candidates`.
        candidate_vectors: Vectors of the candidates, ``[c, d]``.
        windows: Item rows of the windows, ``[b, l]``, -1 in the padding.
        users: User of each window, ``[b]``.
        window: Index of each query's window, ``[p]``.
        position: Position of each query in its window, ``[p]``; its history is the items before.
    """

    queries: Any
    positives: Any
    positive_vectors: Any
    weights: Any
    candidates: Any
    candidate_vectors: Any
    windows: Any
    users: Any
    window: Any
    position: Any

    def positive_scores(self) -> Any:
        """Inner product of each query and its positive, ``[p]``."""
        return tf.reduce_sum(self.queries * self.positive_vectors, axis=1)

    def weighted_mean(self, losses: Any) -> Any:
        """Weighted mean of one loss per query, ``[p]``.

        The divisor is the number of queries, which is the expected sum of their weights: a query
        then has the same influence in every batch, also where batches differ in their weights.
        """
        count = tf.cast(tf.size(self.weights), tf.float32)
        return tf.math.divide_no_nan(tf.reduce_sum(losses * self.weights), count)


class Loss(ABC):
    """One loss."""

    @abstractmethod
    def candidates(self, positives: Any, draws: Draws) -> Any:
        """Distinct rows ``[c]`` to score for all queries.

        Args:
            positives: Rows of the queries' targets, ``[p]``.
            draws: Random numbers of the step.
        """

    @abstractmethod
    def compute(self, inputs: LossInput) -> Any:
        """Mean loss, a scalar."""
