"""A linear filter of items x items, without training."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys.features import plain_interactions
from recsys.ids import Rows, Vectors
from recsys.interactions import Interactions
from recsys.towers.ensemble.distillation.config import ItemFilterConfig


class ItemFilter:
    """The linear filter of GF-CF (Shen et al., CIKM 2021, eq. 9) with free powers of the degrees
    and, optionally, the order of the histories.

    With R the plain interactions (1 where user and item interact), n_w the number of items of user
    w and m_i the number of users of item i, user u gives item j the score

        sum over i of R_ui k_ui^-r sum over w of n_w^-a R_wi R_wj d_wij^-e m_i^-b m_j^-c

    where item i is the k_ui-th from the end of u's history, and d_wij is the distance of i and j in
    w's. GF-CF has a = 1, b = c = 1/2 and no order: r = e = 0.

    With e = 0 the matrix of items x items is never built: a user's scores go through the users of
    the same items. Otherwise it holds the pairs at most ``window`` apart in some history.

    Example:
        >>> from recsys.ids import IdMap
        >>> users, items = IdMap.of("user", ["a", "b"]), IdMap.of("item", ["x", "y", "z"])
        >>> log = Interactions.of(users, items, user=[0, 0, 1], item=[0, 1, 1], time=[1, 2, 1])
        >>> plain = ItemFilterConfig(of_users=0, of_history=0, of_items=0)
        >>> ItemFilter(log, plain).scores(np.array([1], np.int32)).tolist()
        [[1.0, 2.0, 0.0]]
    """

    def __init__(self, log: Interactions, config: ItemFilterConfig) -> None:
        from scipy.sparse import diags_array

        plain = plain_interactions(log)
        n, m = (np.maximum(plain.sum(axis=axis), 1.0) for axis in (1, 0))
        recent = _recent(log, config.recency)
        self._histories = (recent @ diags_array(m**-config.of_history)).tocsr().astype(np.float32)
        damped = diags_array(m**-config.of_items)
        if config.nearness > 0:
            pairs = _near(log, n**-config.of_users, config) @ damped
            self._steps: list[Any] = [pairs.tocsr().astype(np.float32)]
        else:
            weighted = diags_array(n**-config.of_users) @ plain @ damped
            self._steps = [plain.T.tocsr(), weighted.tocsr().astype(np.float32)]

    def scores(self, users: Rows) -> Vectors:
        """Scores of every item, including the history, float32 ``[users, items]``, at least 0."""
        product = self._histories[users]
        for step in self._steps:
            product = product @ step
        scores: Vectors = product.toarray()
        return scores


def _recent(log: Interactions, recency: float) -> Any:
    """k^-r of each interaction of a user and item, by its last time: sparse ``[users, items]``."""
    from scipy.sparse import csr_array

    codes = log.user.astype(np.int64) * len(log.items) + log.item
    _, backwards = np.unique(codes[::-1], return_index=True)
    last = len(log) - 1 - backwards  # position of the last interaction
    ages = (log.offsets[1:][log.user[last]] - last).astype(np.float64)
    shape = (len(log.users), len(log.items))
    return csr_array((ages**-recency, (log.user[last], log.item[last])), shape=shape)


def _near(log: Interactions, of_users: Any, config: ItemFilterConfig) -> Any:
    """Sums over all histories of n^-a d^-e per pair of different items: sparse, symmetric."""
    from scipy.sparse import csr_array

    shape = (len(log.items), len(log.items))
    one_way = csr_array(shape, dtype=np.float32)
    for distance in range(1, config.window + 1):
        first = np.flatnonzero(log.user[distance:] == log.user[:-distance])
        if not len(first):
            break
        first = first[log.item[first] != log.item[first + distance]]
        weight = (of_users[log.user[first]] * distance**-config.nearness).astype(np.float32)
        one_way += csr_array((weight, (log.item[first], log.item[first + distance])), shape=shape)
    return one_way + one_way.T
