"""Ranked lists of another model as a scorer, so that one evaluation scores all models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

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

    @cached_property
    def _order(self) -> npt.NDArray[np.int64]:
        return np.argsort(self.lists.user)

    def score(self, queries: HeldOutQueries) -> Vectors:
        """Scores, float32 ``[q, items]``.

        Raises:
            DataError: A query's user has no list.
        """
        scores = np.full((len(queries), self.items), -np.inf, np.float32)
        if not len(queries):
            return scores
        users = self.lists.user[self._order]
        index = np.searchsorted(users, queries.user).clip(max=len(users) - 1)
        missing = queries.user[users[index] != queries.user] if len(users) else queries.user
        if len(missing):
            raise DataError(f"'{self.name}' has no list for user row {missing[0]}")
        index = self._order[index]
        rows, found = self.lists.rows[index], self.lists.scores[index]
        query, column = np.nonzero(found > -np.inf)
        scores[query, rows[query, column]] = found[query, column]
        return scores
