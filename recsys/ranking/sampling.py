"""Training pairs: each interaction, and items that its user did not take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.ids import Rows, Vectors
from recsys.interactions import Interactions
from recsys.ranking.bags import Positions

ROUNDS = 20
"""Number of attempts to draw a negative outside the user's history."""


@dataclass(frozen=True, eq=False)
class PairBatch:
    """b interactions, each with n negatives.

    Attributes:
        positions: Positions of the interactions in the log, int64 ``[b]``.
        items: Rows of items, int32 ``[b, 1 + n]``; the first of each line is the positive.
        weights: Weights of the pairs, float32 ``[b, 1 + n]``; 0 where no negative was found.
    """

    positions: Positions
    items: Rows
    weights: Vectors


@dataclass(frozen=True, eq=False)
class PairSampler:
    """Draws pairs from a log, as a function of the seed and the epoch alone.

    Negatives are uniform over the warm items outside the user's history (He et al. 2017, section
    3.3). A user of every item has none.

    Attributes:
        log: Training interactions.
        negatives: n, the number of negatives per interaction.

    Example:
        >>> from recsys.ids import IdMap
        >>> log = Interactions.of(IdMap.of("user", ["ann", "bob"]), IdMap.of("item", ["a", "b"]),
        ...     user=[0, 1], item=[0, 1], time=[1, 1])
        >>> batch = next(PairSampler(log, negatives=1).batches(size=2, seed=0, epoch=1))
        >>> batch.items[batch.positions.argsort()].tolist()
        [[0, 1], [1, 0]]
    """

    log: Interactions
    negatives: int

    def batches(
        self, *, size: int, seed: int, epoch: int, positives: int | None = None
    ) -> Iterator[PairBatch]:
        """Batches of one epoch: every interaction, or ``positives`` of them, in random order."""
        rng = np.random.default_rng([seed, epoch])
        order = rng.permutation(len(self.log))[:positives]
        for low in range(0, len(order), size):
            yield self._batch(order[low : low + size], rng)

    def steps(self, *, size: int, positives: int | None = None) -> int:
        """Number of batches in an epoch."""
        return -(-min(len(self.log), positives or len(self.log)) // size)

    def _batch(self, positions: Positions, rng: np.random.Generator) -> PairBatch:
        drawn = self.draw_negatives(self.log.user[positions], rng)
        items = np.concatenate([self.log.item[positions, None], drawn], axis=1)
        weights = np.where(items >= 0, self.log.weight[positions, None], 0)
        return PairBatch(positions, np.maximum(items, 0), weights.astype(np.float32))

    def draw_negatives(self, users: Rows, rng: np.random.Generator) -> Rows:
        """Items outside the histories of ``users``, int32 ``[b, n]``; -1 where none was found."""
        drawn = np.full(len(users) * self.negatives, -1, np.int32)
        users = np.repeat(users.astype(np.int64), self.negatives)
        missing = np.arange(len(drawn))
        for _ in range(ROUNDS):
            items = self._warm[rng.integers(0, len(self._warm), len(missing))]
            codes = users[missing] * len(self.log.items) + items
            at = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
            valid = self._codes[at] != codes
            drawn[missing[valid]] = items[valid]
            missing = missing[~valid]
            if not len(missing):
                break
        return drawn.reshape(-1, self.negatives)

    @cached_property
    def _warm(self) -> Rows:
        return np.flatnonzero(self.log.warm).astype(np.int32)

    @cached_property
    def _codes(self) -> npt.NDArray[np.int64]:
        """Code of each interaction's user and item, ascending."""
        codes = self.log.user.astype(np.int64) * len(self.log.items) + self.log.item
        return np.unique(codes)
