"""The head of both pair networks: from two vectors to log-odds. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.ids import Vectors

NUMBERS_PER_CHUNK = 2_000_000
"""Number of hidden activations held at once; bounds memory, not results."""


@dataclass(frozen=True, eq=False)
class PairHead:
    """log-odds(u, v) = w . relu(... relu(K [u, v, u * v, |u - v|] + b) ...) + c.

    The product and the distance per dimension are inputs, because a network hardly learns an inner
    product (Rendle et al., "Neural collaborative filtering vs. matrix factorization revisited",
    RecSys 2020). The first layer is a sum: its parts K_u u and K_v v are computed once per user
    and item, and only the parts of both per pair.

    Attributes:
        layers: Kernel ``[in, out]`` and bias ``[out]`` of each hidden layer, then the last kernel
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
        """d, the width of the input vectors."""
        return len(self.layers[0][0]) // 4

    def log_odds(self, users: Vectors, items: Vectors) -> Vectors:
        """Log-odds of every user ``[q, d]`` with every item ``[n, d]``, float32 ``[q, n]``."""
        kernel, bias = self.layers[0]
        of_user, of_item, of_product, of_distance = np.split(kernel, 4)
        by_user, by_item = users @ of_user, items @ of_item + bias  # (q, h), (n, h)
        out = np.empty((len(users), len(items)), np.float32)
        widest = max(len(bias), self.dimension)
        step = max(1, NUMBERS_PER_CHUNK // max(1, len(items) * widest))
        for low in range(0, len(users), step):
            chunk = users[low : low + step]
            hidden = by_user[low : low + step, None] + by_item
            # u scales the kernel's rows, so that no product of u and v is materialised.
            hidden += items @ (chunk[:, :, None] * of_product)
            hidden += np.abs(chunk[:, None] - items) @ of_distance
            out[low : low + step] = self._rest(hidden)
        return out

    def log_odds_of_pairs(self, users: Vectors, items: Vectors) -> Vectors:
        """Log-odds of user n with item n; ``[n, d]`` each to float32 ``[n]``."""
        kernel, bias = self.layers[0]
        parts = [users, items, users * items, np.abs(users - items)]
        return self._rest(np.concatenate(parts, axis=1) @ kernel + bias)

    def _rest(self, hidden: npt.NDArray[np.floating]) -> Vectors:
        """Log-odds ``[...]`` from the first layer's sums ``[..., h]``."""
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
