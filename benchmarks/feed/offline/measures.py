"""Figures of ranked lists, from the position of each target and the first ten items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.ids import Rows, Vectors

K = 10
RESAMPLES = 1000
FIGURES = ("ndcg@10", "recall@10", "recall@50", "coverage@10")
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Lists:
    """The lists of q queries with one target each.

    Attributes:
        positions: Position of the target, 1 for the first item, 0 where it was not retrieved, int64
            ``[q]``.
        first: The first ten items, int32 ``[q, 10]``.
    """

    positions: Positions
    first: Rows

    @property
    def gains(self) -> Vectors:
        """NDCG@10 of each query, float64 ``[q]``."""
        listed = (self.positions > 0) & (self.positions <= K)
        return np.where(listed, 1 / np.log2(np.maximum(self.positions, 1) + 1), 0.0)

    def figures(self) -> dict[str, float]:
        """The means of ``FIGURES``; coverage is the number of distinct items in the lists."""
        found = self.positions > 0
        return {
            "ndcg@10": float(self.gains.mean()),
            "recall@10": float((found & (self.positions <= K)).mean()),
            "recall@50": float((found & (self.positions <= 50)).mean()),
            "coverage@10": float(len(np.unique(self.first))),
        }


def sums_by_user(users: Rows, gains: Mapping[str, Vectors]) -> dict[str, list[float]]:
    """Sum of the gains of each user, in the order of the users' rows."""
    _, owner = np.unique(users, return_inverse=True)
    return {name: np.bincount(owner, each).round(6).tolist() for name, each in gains.items()}


def relative_gain(feed: Vectors, retrieval: Vectors) -> tuple[float, float]:
    """95% interval of the relative gain in NDCG, by a bootstrap over users.

    Args:
        feed: Sum of the gains of each user, ``[u]``.
        retrieval: The same of the order of retrieval.
    """
    rng, size = np.random.default_rng(0), len(feed)
    drawn = rng.multinomial(size, np.full(size, 1 / size), size=RESAMPLES)
    ratios = drawn @ feed / (drawn @ retrieval) - 1
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(low), float(high)
