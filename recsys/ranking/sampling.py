"""Pairs to learn from: each interaction, and items that its user did not take."""

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
"""How often a drawn item that its user has met is drawn anew before it is left out."""


@dataclass(frozen=True, eq=False)
class PairBatch:
    """b interactions, each with n items beside the one taken.

    Attributes:
        positions: Where in the log, int64 ``[b]``.
        items: int32 ``[b, 1 + n]``; the first of each line was taken.
        weights: float32 ``[b, 1 + n]``; 0 for a place for which no item was found.
    """

    positions: Positions
    items: Rows
    weights: Vectors


@dataclass(frozen=True, eq=False)
class PairSampler:
    """Draws pairs from a log; what it draws is a function of the seed and the epoch alone.

    Negatives are uniform over the warm items that the user never met in the log (as He et al.,
    2017, section 3.3, draw them). A user who met everything has none.

    Attributes:
        log: What to learn from.
        negatives: n.

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
        """One epoch: every interaction, or ``positives`` of them drawn anew, in a new order."""
        rng = np.random.default_rng([seed, epoch])
        order = rng.permutation(len(self.log))[:positives]
        for low in range(0, len(order), size):
            yield self._batch(order[low : low + size], rng)

    def steps(self, *, size: int, positives: int | None = None) -> int:
        """How many batches an epoch has."""
        return -(-min(len(self.log), positives or len(self.log)) // size)

    def _batch(self, positions: Positions, rng: np.random.Generator) -> PairBatch:
        drawn = self.not_taken(self.log.user[positions], rng)
        items = np.concatenate([self.log.item[positions, None], drawn], axis=1)
        weights = np.where(items >= 0, self.log.weight[positions, None], 0)
        return PairBatch(positions, np.maximum(items, 0), weights.astype(np.float32))

    def not_taken(self, users: Rows, rng: np.random.Generator) -> Rows:
        """Items that these users never met, int32 ``[b, n]``; -1 where none was found."""
        drawn = np.full(len(users) * self.negatives, -1, np.int32)
        users = np.repeat(users.astype(np.int64), self.negatives)
        open_places = np.arange(len(drawn))
        for _ in range(ROUNDS):
            fresh = self._warm[rng.integers(0, len(self._warm), len(open_places))]
            codes = users[open_places] * len(self.log.items) + fresh
            at = np.minimum(np.searchsorted(self._met, codes), len(self._met) - 1)
            free = self._met[at] != codes
            drawn[open_places[free]] = fresh[free]
            open_places = open_places[~free]
            if not len(open_places):
                break
        return drawn.reshape(-1, self.negatives)

    @cached_property
    def _warm(self) -> Rows:
        return np.flatnonzero(self.log.warm).astype(np.int32)

    @cached_property
    def _met(self) -> npt.NDArray[np.int64]:
        """One number for each user and item met, ascending."""
        codes = self.log.user.astype(np.int64) * len(self.log.items) + self.log.item
        return np.unique(codes)
