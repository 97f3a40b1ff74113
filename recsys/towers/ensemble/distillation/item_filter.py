"""What users would meet next by the company that items keep, with nothing trained."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys.features import leading_directions, plain_interactions
from recsys.ids import Rows, Vectors
from recsys.interactions import Interactions
from recsys.towers.ensemble.distillation.config import ItemFilterConfig


class ItemFilter:
    """The filter of GF-CF (Shen et al., CIKM 2021, eq. 9 to 11), its degrees to powers of choice
    and, where asked, with an eye to the order of a history.

    With R the plain interactions, 1 where a user met an item, n_w how many items user w met and
    m_i how many users item i, user u gives item j the score

        sum over i of R_ui k_ui^-r sum over w of n_w^-a R_wi R_wj d_wij^-e m_i^-b m_j^-c
          + l sum over i of R_ui k_ui^-r m_i^-1/2 (V V')_ij m_j^1/2

    where item i is the k_ui-th from the end of u's history, i and j are d_wij places apart in w's,
    and the columns of V are the leading right singular vectors of the normalised interactions.
    GF-CF has a = 1, b = c = 1/2 and knows no order: r = e = 0. What comes below 0 is 0.

    With e = 0, items x items is never there as a whole: a user's scores go over the users who met
    the same, so that memory grows with users asked and items. Else the pairs of items at most
    ``window`` places apart in some history are there.

    Args:
        log: Training interactions.
        config: The powers a, b, c, r and e, the window, and l and how many columns V has.

    Example:
        >>> from recsys.ids import IdMap
        >>> users, items = IdMap.of("user", ["a", "b"]), IdMap.of("item", ["x", "y", "z"])
        >>> log = Interactions.of(users, items, user=[0, 0, 1], item=[0, 1, 1], time=[1, 2, 1])
        >>> plain = ItemFilterConfig(of_users=0, of_met=0, of_items=0)
        >>> ItemFilter(log, plain).scores(np.array([1], np.int32)).tolist()
        [[1.0, 2.0, 0.0]]
    """

    def __init__(self, log: Interactions, config: ItemFilterConfig) -> None:
        from scipy.sparse import diags_array

        met = plain_interactions(log)
        n, m = (np.maximum(met.sum(axis=axis), 1.0) for axis in (1, 0))
        remembered = _remembered(log, config.recency)
        self._met = (remembered @ diags_array(m**-config.of_met)).tocsr().astype(np.float32)
        damped = diags_array(m**-config.of_items)
        if config.nearness > 0:
            pairs = _near(log, n**-config.of_users, config) @ damped
            self._steps: list[Any] = [pairs.tocsr().astype(np.float32)]
        else:
            spoken = diags_array(n**-config.of_users) @ met @ damped
            self._steps = [met.T.tocsr(), spoken.tocsr().astype(np.float32)]
        self._tastes = None
        if config.low_pass > 0:
            self._tastes = _Tastes(log, remembered, config)

    def scores(self, users: Rows) -> Vectors:
        """Of every item, met ones too, float32 ``[users, items]``; none is below 0."""
        reached = self._met[users]
        for step in self._steps:
            reached = reached @ step
        found: Vectors = reached.toarray()
        if self._tastes is not None:
            found += self._tastes.scores(users)
        return np.maximum(found, 0, out=found)


class _Tastes:
    """The second sum, as two narrow matrices."""

    def __init__(self, log: Interactions, remembered: Any, config: ItemFilterConfig) -> None:
        _, _, v = leading_directions(log, config.directions)
        roots = np.sqrt(np.maximum(plain_interactions(log).sum(axis=0), 1.0))
        self._of_users = (remembered @ (v.T / roots[:, None])).astype(np.float32)
        self._of_items = (config.low_pass * v * roots).astype(np.float32)

    def scores(self, users: Rows) -> Vectors:
        scores: Vectors = self._of_users[users] @ self._of_items
        return scores


def _remembered(log: Interactions, recency: float) -> Any:
    """k^-r where a user met an item, k counted from the last time: sparse ``[users, items]``."""
    from scipy.sparse import csr_array

    codes = log.user.astype(np.int64) * len(log.items) + log.item
    _, backwards = np.unique(codes[::-1], return_index=True)
    last = len(log) - 1 - backwards  # of each user and item, where they met last
    ages = (log.offsets[1:][log.user[last]] - last).astype(np.float64)
    shape = (len(log.users), len(log.items))
    return csr_array((ages**-recency, (log.user[last], log.item[last])), shape=shape)


def _near(log: Interactions, of_users: Any, config: ItemFilterConfig) -> Any:
    """Over all histories, n^-a d^-e of every two different items in it: sparse, symmetric."""
    from scipy.sparse import csr_array

    shape = (len(log.items), len(log.items))
    one_way = csr_array(shape, dtype=np.float32)
    for apart in range(1, config.window + 1):
        first = np.flatnonzero(log.user[apart:] == log.user[:-apart])
        if not len(first):
            break
        first = first[log.item[first] != log.item[first + apart]]
        weight = (of_users[log.user[first]] * apart**-config.nearness).astype(np.float32)
        one_way += csr_array((weight, (log.item[first], log.item[first + apart])), shape=shape)
    return one_way + one_way.T
