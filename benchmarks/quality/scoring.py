"""Ranked lists of another model as a scorer, so that one evaluation scores all models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.quality.peer_models.files import RankedLists
from recsys.errors import DataError
from recsys.ids import Vectors
from recsys.splits import HeldOutQueries


@dataclass(frozen=True, eq=False)
class ListScorer:
    """Scores of ranked lists: -inf for each item that is not in the list of the query's user.

    Raises:
        DataError: A user has two lists, or a row is out of range.
    """

    name: str
    lists: RankedLists
    items: int

    def __post_init__(self) -> None:
        users, rows = self.lists.user, self.lists.rows
        if len(np.unique(users)) < len(users):
            raise DataError(f"'{self.name}' has two lists for a user; expected one")
        if rows.size and not 0 <= rows.min() <= rows.max() < self.items:
            raise DataError(f"'{self.name}' lists a row that is none of the {self.items} items")

    def score(self, queries: HeldOutQueries) -> Vectors:
        """Scores, float32 ``[q, items]``.

        Raises:
            DataError: A query's user has no list.
        """
        index = {user: at for at, user in enumerate(self.lists.user.tolist())}
        scores = np.full((len(queries), self.items), -np.inf, np.float32)
        for own, user in zip(scores, queries.user.tolist()):
            if user not in index:
                raise DataError(f"'{self.name}' has no list for user row {user}")
            rows, found = self.lists.rows[index[user]], self.lists.scores[index[user]]
            listed = found > -np.inf
            own[rows[listed]] = found[listed]
        return scores
