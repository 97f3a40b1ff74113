"""Random numbers of a training step, as a function of the step alone.

TensorFlow's own generators have a state in the process, which no checkpoint holds: a resumed
training would continue with other numbers than an uninterrupted one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys._tf import tf

_CALL = 2**31
"""Difference of the seeds of two draws of a step."""


class Draws:
    """The random numbers of one training step.

    Each call draws other numbers, which depend on ``seed`` and on the number of calls before it.

    Args:
        seed: Seed of the step, int64 ``[2]``, each number from 0 and the first below 2^31.

    Example:
        >>> first, same, other = (Draws(np.array([7, step])) for step in (1, 1, 2))
        >>> number = float(first.uniform([]))
        >>> number == float(same.uniform([])), number == float(other.uniform([]))
        (True, False)
    """

    def __init__(self, seed: Any) -> None:
        self._seed, self._calls = seed, 0

    def uniform(self, shape: Any) -> Any:
        """Numbers from 0 to below 1, float32 of a shape."""
        return tf.random.stateless_uniform(shape, self._next())

    def integers(self, count: int, *, below: int) -> Any:
        """Integers from 0 to below a number, int32 ``[count]``."""
        seed = self._next()
        return tf.random.stateless_uniform((count,), seed, minval=0, maxval=below, dtype=tf.int32)

    def keep(self, x: Any, *, dropout: float) -> Any:
        """``x`` with a share of its numbers replaced by zeros; the others are unchanged."""
        if not dropout:
            return x
        return x * tf.cast(self.uniform(tf.shape(x)) >= dropout, x.dtype)

    def dropout(self, x: Any, rate: float) -> Any:
        """``x`` with a share of its numbers replaced by zeros; the others are divided by 1 - rate
        (Srivastava et al., JMLR 2014).
        """
        if not rate:
            return x
        return tf.nn.experimental.stateless_dropout(x, rate, self._next())

    def _next(self) -> Any:
        self._calls += 1
        return self._seed + np.array([self._calls * _CALL, 0], np.int64)
