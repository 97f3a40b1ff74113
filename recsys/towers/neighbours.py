"""What users would meet next by the company that items keep, before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.features import normalised_interactions
from recsys.ids import Rows, Vectors
from recsys.interactions import Interactions

_AT_ONCE = 1 << 25
"""So many scores of users and items are there at once."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Per user the items nearest to those met, none of which they met.

    Attributes:
        offsets: int64 ``[users + 1]``; those of user u are ``offsets[u] : offsets[u + 1]``.
        items: Their rows.
        shares: float32; those of a user sum to 1.
    """

    offsets: npt.NDArray[np.int64]
    items: Rows
    shares: Vectors

    @classmethod
    def of(cls, log: Interactions, count: int) -> Neighbours:
        """The ``count`` items with the highest row of R A' A, in proportion to it.

        A holds the normalised interactions (:func:`recsys.features.normalised_interactions`), R the
        plain ones, so that A' A says how much two items share their users: the linear filter of
        GF-CF (Shen et al. 2021), and the item graph that UltraGCN (Mao et al., CIKM 2021, eq. 11)
        draws further positives from.

        Args:
            log: Training interactions.
            count: So many a user, or fewer where there are no more.

        Example:
            >>> from recsys.ids import IdMap
            >>> users, items = IdMap.of("user", ["a", "b"]), IdMap.of("item", ["x", "y", "z"])
            >>> log = Interactions.of(users, items, user=[0, 0, 1], item=[0, 1, 1], time=[1, 2, 1])
            >>> near = Neighbours.of(log, 5)
            >>> near.offsets.tolist(), near.items.tolist(), near.shares.tolist()
            ([0, 0, 1], [0], [1.0])
        """
        matrix = normalised_interactions(log)
        met = matrix.copy()
        met.data = np.ones_like(met.data)
        alike = (matrix.T @ matrix).tocsr()
        users, width = len(log.users), len(log.items)
        found: list[tuple[Rows, Vectors]] = []
        step = max(1, _AT_ONCE // max(width, 1))
        for start in range(0, users, step):
            rows = met[start : start + step]
            scores = (rows @ alike).toarray()
            scores[rows.nonzero()] = 0
            found += [_best(line, count) for line in scores]
        sizes = [len(items) for items, _ in found]
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        none = (np.zeros(0, np.int32), np.zeros(0, np.float32))
        items, shares = (np.concatenate(parts) for parts in zip(none, *found))
        return cls(offsets, items.astype(np.int32), shares.astype(np.float32))

    def pairs(self, users: Rows) -> tuple[Rows, Rows, Vectors]:
        """Those of ``users``: the place of the user, the item and its share, each ``[p]``."""
        sizes = np.diff(self.offsets)[users]
        of = np.repeat(np.arange(len(users), dtype=np.int32), sizes)
        within = np.arange(len(of)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        places = self.offsets[users][of] + within
        return of, self.items[places], self.shares[places]


def _best(scores: Vectors, count: int) -> tuple[Rows, Vectors]:
    there = min(count, int(np.count_nonzero(scores)))
    best = np.sort(np.argpartition(-scores, max(there - 1, 0))[:there]).astype(np.int32)
    return best, scores[best] / max(float(scores[best].sum()), 1e-30)
