"""Moving averages of weights: what is judged and kept is steadier than where the last step left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from recsys._tf import tf


class MovingAverage(tf.Module):  # type: ignore[misc]
    """a = s a + (1 - s) w after each step (Polyak & Juditsky 1992, with forgetting).

    s is ``share``, or (1 + steps) / (10 + steps) while that is lower, so that the first weights are
    soon forgotten. Each step costs a pass over all weights.

    Args:
        weights: The variables to average.
        share: How much of the average a step keeps; 0.999 is about the last thousand steps.
    """

    def __init__(self, weights: Sequence[Any], share: float) -> None:
        super().__init__()
        self._weights, self._share = list(weights), share
        self.steps = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.averages = [tf.Variable(weight, trainable=False) for weight in weights]

    def update(self) -> None:
        """Take in the weights as they are; part of the step's graph."""
        steps = tf.cast(self.steps.assign_add(1), tf.float32)
        share = tf.minimum(self._share, (1 + steps) / (10 + steps))
        for average, weight in zip(self.averages, self._weights):
            average.assign_sub((1 - share) * (average - weight))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """While it lasts the weights are their averages."""
        trained = [weight.numpy() for weight in self._weights]
        for weight, average in zip(self._weights, self.averages):
            weight.assign(average)
        try:
            yield
        finally:
            for weight, value in zip(self._weights, trained):
                weight.assign(value)
