"""What users would meet next by the company that items keep, with nothing trained."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys.features import leading_directions, plain_interactions
from recsys.ids import Rows, Vectors
from recsys.interactions import Interactions
from recsys.towers.distillation.config import ItemFilterConfig


class ItemFilter:
    """The filter of GF-CF (Shen et al., CIKM 2021, eq. 9 to 11), its degrees to powers of choice.

    With R the plain interactions, 1 where a user met an item, n_w how many items user w met and
    m_i how many users item i, user u gives item j the score

        sum over i of R_ui sum over w of n_w^-a R_wi R_wj m_i^-b m_j^-c
          + l sum over i of R_ui m_i^-1/2 (V V')_ij m_j^1/2

    where GF-CF has a = 1 and b = c = 1/2, and the columns of V are the leading right singular
    vectors of the normalised interactions. What comes below 0 is 0. Items x items is never there as
    a whole: a user's scores go over the users who met the same, so that memory grows with users
    asked and items.

    Args:
        log: Training interactions.
        config: a, b, c and l, and how many columns V has.

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
        self._met = (met @ diags_array(m**-config.of_met)).tocsr().astype(np.float32)
        self._back = met.T.tocsr()
        self._tastes = None
        if config.low_pass > 0:
            self._tastes = _Tastes(log, config)
        spoken = diags_array(n**-config.of_users) @ met @ diags_array(m**-config.of_items)
        self._spoken: Any = spoken.tocsr().astype(np.float32)

    def scores(self, users: Rows) -> Vectors:
        """Of every item, met ones too, float32 ``[users, items]``; none is below 0."""
        found: Vectors = (self._met[users] @ self._back @ self._spoken).toarray()
        if self._tastes is not None:
            found += self._tastes.scores(users)
        return np.maximum(found, 0, out=found)


class _Tastes:
    """The second sum, as two narrow matrices."""

    def __init__(self, log: Interactions, config: ItemFilterConfig) -> None:
        _, _, v = leading_directions(log, config.directions)
        met = plain_interactions(log)
        roots = np.sqrt(np.maximum(met.sum(axis=0), 1.0))
        self._of_users = (met @ (v.T / roots[:, None])).astype(np.float32)
        self._of_items = (config.low_pass * v * roots).astype(np.float32)

    def scores(self, users: Rows) -> Vectors:
        scores: Vectors = self._of_users[users] @ self._of_items
        return scores
