"""The head that both pair networks share, at rest: from two vectors to log-odds. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.ids import Vectors

NUMBERS_A_CHUNK = 2_000_000
"""Hidden numbers held at once; bounds memory, not results."""


@dataclass(frozen=True, eq=False)
class PairHead:
    """log-odds(u, v) = w . relu(... relu(K [u, v, u * v, |u - v|] + b) ...) + c.

    That is a small network over the two vectors, their product and their distance in each
    dimension; without the products a network finds the inner product only with difficulty (Rendle
    et al., "Neural collaborative filtering vs. matrix factorization revisited", RecSys 2020).

    Every user with every item would cost users x items passes. The first layer is a sum, so its
    parts K_u u and K_v v are computed once for each user and each item, and only what is of both
    once for each pair.

    Attributes:
        layers: Per hidden layer its kernel ``[in, out]`` and bias ``[out]``, then the last kernel
            ``[in, 1]`` and bias ``[1]``; the first kernel has 4 d rows.

    Example:
        >>> same = PairHead(((np.array([[0], [0], [0], [1.0]]), np.zeros(1)),
        ...                  (np.array([[-4.0]]), np.ones(1))))
        >>> same.log_odds(np.array([[0.0], [1.0]]), np.array([[1.0], [0.0]])).tolist()
        [[-3.0, 1.0], [1.0, -3.0]]
    """

    layers: tuple[tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]], ...]

    @property
    def dimension(self) -> int:
        """d, the width of the vectors that it reads."""
        return len(self.layers[0][0]) // 4

    def log_odds(self, users: Vectors, items: Vectors) -> Vectors:
        """Every user with every item.

        Args:
            users: float32 ``[q, d]``.
            items: float32 ``[n, d]``.

        Returns:
            float32 ``[q, n]``.
        """
        kernel, bias = self.layers[0]
        of_user, of_item, of_product, of_distance = np.split(kernel, 4)
        by_user, by_item = users @ of_user, items @ of_item + bias  # (q, h), (n, h)
        out = np.empty((len(users), len(items)), np.float32)
        widest = max(len(bias), self.dimension)
        step = max(1, NUMBERS_A_CHUNK // max(1, len(items) * widest))
        for low in range(0, len(users), step):
            some = users[low : low + step]
            hidden = by_user[low : low + step, None] + by_item
            # u scales the kernel's rows, so that no product of u and v is ever written down.
            hidden += items @ (some[:, :, None] * of_product)
            hidden += np.abs(some[:, None] - items) @ of_distance
            out[low : low + step] = self._rest(hidden)
        return out

    def log_odds_of_pairs(self, users: Vectors, items: Vectors) -> Vectors:
        """User n with item n; ``[n, d]`` each to float32 ``[n]``."""
        kernel, bias = self.layers[0]
        parts = [users, items, users * items, np.abs(users - items)]
        return self._rest(np.concatenate(parts, axis=1) @ kernel + bias)

    def _rest(self, hidden: npt.NDArray[np.floating]) -> Vectors:
        """From the first layer's sums ``[..., h]`` to ``[...]``."""
        for kernel, bias in self.layers[1:]:
            hidden = np.maximum(hidden, 0) @ kernel + bias
        return np.asarray(hidden[..., 0], np.float32)


def probability(log_odds: Vectors) -> Vectors:
    """sigmoid(log-odds), without overflow.

    Example:
        >>> probability(np.array([0, -1000, 1000], np.float32)).tolist()
        [0.5, 0.0, 1.0]
    """
    with np.errstate(under="ignore"):
        small = np.exp(-np.abs(log_odds))
    return np.where(log_odds >= 0, 1 / (1 + small), small / (1 + small)).astype(np.float32)
