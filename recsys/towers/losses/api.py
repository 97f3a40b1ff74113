"""What a loss is given, and what it must answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from recsys._tf import tf


@dataclass(frozen=True, eq=False)
class Positions:
    """The p positions of a batch that are trained at once, and what they are held against.

    Tensors; rows are int32, vectors float32, of length 1 where the towers made them.

    Attributes:
        queries: ``[p, d]``.
        positives: The item row that each query should find, ``[p]``.
        positive_vectors: Their vectors, ``[p, d]``.
        weights: ``[p]``, 0 or more.
        candidates: Different rows ``[c]``, shared by all queries: what ``candidates()`` answered.
        candidate_vectors: ``[c, d]``.
        items: The windows that the positions come from, rows ``[b, l]``, -1 where there is padding.
        users: Whose windows these are, ``[b]``.
        window: In which window each position is, ``[p]``.
        place: At which place of it, ``[p]``: the history is what stands before.
    """

    queries: Any
    positives: Any
    positive_vectors: Any
    weights: Any
    candidates: Any
    candidate_vectors: Any
    items: Any
    users: Any
    window: Any
    place: Any

    def own_scores(self) -> Any:
        """The inner product of each query and its positive, ``[p]``."""
        return tf.reduce_sum(self.queries * self.positive_vectors, axis=1)

    def scores(self, temperature: float = 1.0) -> Any:
        """The inner product of each query and each candidate, divided, ``[p, c]``."""
        # Divided on the side of d, which is the smaller.
        return tf.matmul(self.queries / temperature, self.candidate_vectors, transpose_b=True)

    def mean(self, losses: Any) -> Any:
        """The weighted mean of one loss a position, ``[p]``."""
        return tf.math.divide_no_nan(
            tf.reduce_sum(losses * self.weights), tf.reduce_sum(self.weights)
        )


class Loss(ABC):
    """One loss."""

    @abstractmethod
    def candidates(self, positives: Any) -> Any:
        """The different rows ``[c]`` that all queries of a step are held against.

        Args:
            positives: What its queries should find, ``[p]``.
        """

    @abstractmethod
    def compute(self, positions: Positions) -> Any:
        """The mean loss, a scalar."""
