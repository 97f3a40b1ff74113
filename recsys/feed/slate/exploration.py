"""Exploration: slots that sometimes show a candidate which its score would not bring there.

Each exploring slot has a pool of its own, so that the slots' draws are independent and the
probability of each candidate at each slot is a product of two numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import ConfigError, DataError
from recsys.ids import Mask, Rows

Probabilities = npt.NDArray[np.float64]
_CELLS = 128
_STEPS = np.linspace(-5, 12, 60)


@dataclass(frozen=True, eq=False)
class Beliefs:
    """What is known of each candidate's rate of clicks: a beta distribution.

    Attributes:
        successes: Clicks and the prior's, above 0, float64 ``[n]``.
        failures: Impressions without a click and the prior's, above 0, float64 ``[n]``.

    Raises:
        DataError: The shapes differ, or a number is not above 0.

    Example:
        >>> Beliefs.from_counts(clicks=np.array([3, 0]), impressions=np.array([10, 0])).failures
        array([8., 1.])
    """

    successes: Probabilities
    failures: Probabilities

    def __post_init__(self) -> None:
        numbers = np.concatenate([self.successes, self.failures])
        if self.successes.shape != self.failures.shape or not (
            np.isfinite(numbers).all() and (numbers > 0).all()
        ):
            raise DataError("successes and failures have one shape and are finite and above 0")

    @classmethod
    def from_counts(
        cls,
        clicks: npt.NDArray[Any],
        impressions: npt.NDArray[Any],
        *,
        prior: tuple[float, float] = (1.0, 1.0),
    ) -> Beliefs:
        """Beliefs after ``clicks`` in ``impressions``, ``[n]``, from a prior of both kinds."""
        return cls(
            prior[0] + clicks.astype(np.float64),
            prior[1] + (impressions - clicks).astype(np.float64),
        )


@dataclass(frozen=True, eq=False)
class Exploration:
    """Which slots explore, how often, and which candidates.

    Attributes:
        slots: Slots that may explore, ascending. Slots of pinned and promoted items do not.
        rate: Probability that each of them explores, in (0, 1]: the epsilon of an epsilon-greedy
            policy, or 1 for slots that always do. The item that an exploring slot would have shown
            moves down.
        eligible: Whether a candidate may be explored, bool ``[n]``; None for all.
        beliefs: Beliefs for Thompson sampling: a candidate is drawn with the probability that its
            rate of clicks is the highest of its pool. None draws all with the same probability.
        most: Largest number of candidates per pool, the first of the order. 1 or more.

    Raises:
        ConfigError: A rate or ``most`` out of range, or slots that do not ascend from 0.

    Example:
        >>> Exploration(slots=(4, 9), rate=0.2).beliefs is None
        True
    """

    slots: tuple[int, ...]
    rate: float = 1.0
    eligible: Mask | None = None
    beliefs: Beliefs | None = None
    most: int = 50

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1 or self.most < 1:
            raise ConfigError(f"rate is in (0, 1] and most >= 1; got {self.rate} and {self.most}")
        if list(self.slots) != sorted(set(self.slots)) or min(self.slots, default=0) < 0:
            raise ConfigError(f"exploring slots ascend from 0; got {self.slots}")

    def probabilities(self, pool: Rows) -> Probabilities:
        """Probability of each candidate of a pool in a slot that explores, float64 ``[p]``."""
        if self.beliefs is None:
            return np.full(len(pool), 1 / len(pool))
        return thompson_probabilities(self.beliefs.successes[pool], self.beliefs.failures[pool])


def thompson_probabilities(successes: Probabilities, failures: Probabilities) -> Probabilities:
    """Probability that each of p beta variables is the largest, float64 ``[p]``, which sums to 1.

    Drawing from these probabilities is Thompson sampling (Thompson, 1933) with a propensity that
    is known exactly: they are integrated over cells of the rate, and the draw is made from the
    result, so that an error of the integral changes the policy and its propensity alike.

    Example:
        >>> thompson_probabilities(np.array([1.0, 1.0]), np.array([1.0, 1.0])).round(6).tolist()
        [0.5, 0.5]
    """
    from scipy.special import betainc  # Its import is slow, and only Thompson sampling needs it.

    edges = _edges(successes, failures)
    cumulative = betainc(successes[:, None], failures[:, None], edges)
    below = np.maximum((cumulative[:, 1:] + cumulative[:, :-1]) / 2, 1e-300)
    logarithms = np.log(below)
    others = np.exp(logarithms.sum(axis=0) - logarithms)
    found: Probabilities = (np.diff(cumulative, axis=1) * others).sum(axis=1)
    found /= found.sum()
    return found


def _edges(successes: Probabilities, failures: Probabilities) -> Probabilities:
    """Bounds of the cells: from where the largest variable may be to the greatest of all.

    They are close together where many of the variables are likely.
    """
    total = successes + failures
    mean = successes / total
    deviation = np.sqrt(mean * (1 - mean) / (total + 1))
    points = np.sort(mean + np.multiply.outer(_STEPS, deviation), axis=None)
    low = max(float((mean - 5 * deviation).max()), 0.0)
    high = min(float((mean + 12 * deviation).max()), 1.0)
    inside = points[(points > low) & (points < high)]
    chosen = inside[np.linspace(0, len(inside) - 1, _CELLS - 1).astype(np.int64)]
    return np.concatenate([[low], chosen, [high]])


def deal(pool: Rows, slots: Sequence[int]) -> list[Rows]:
    """Deal a pool to the slots in turn, so that each gets candidates of every rank."""
    return [pool[at :: len(slots)] for at in range(len(slots))]
