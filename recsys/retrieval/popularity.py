"""Popular items: the answer to an unknown user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.ids import Mask, Rows
from recsys.retrieval.crowding import Walk
from recsys.retrieval.fusion_search import SearchResult
from recsys.retrieval.parsing import ParsedRequest
from recsys.retrieval.space import Space

Counts = npt.NDArray[np.int64]
_MORE = 4
"""Factor by which more items are read where a crowding leaves too few."""


class Popular:
    """Items by their number of interactions.

    Attributes:
        counts: Number of interactions per item, int64 ``[n]``; items after the first n have none.

    Example:
        >>> Popularity(np.array([1, 3, 3])).best(np.ones(3, bool), k=2).tolist()
        [1, 2]
    """

    counts: Counts

    def best(self, eligible: Mask, k: int) -> Rows:
        """The k eligible items with most interactions, of equal ones those with lower rows first.

        Args:
            eligible: Whether each item may be among them, bool ``[items]``.
            k: Number of items; fewer where fewer are eligible.
        """
        rows = np.flatnonzero(eligible)
        counted = self.counts[: len(eligible)]
        counts = np.zeros(len(rows), np.int64)
        known = int(np.searchsorted(rows, len(counted)))
        counts[:known] = counted[rows[:known]]
        keys = counts * len(eligible) - rows
        if k < len(rows):
            rows, keys = (each[np.argpartition(-keys, k)[:k]] for each in (rows, keys))
        return rows[np.argsort(-keys)].astype(np.int32)

    def search(self, parsed: ParsedRequest, spaces: Sequence[Space]) -> SearchResult:
        """The k items with most interactions; scores are their numbers.

        Items have a vector in one of the spaces, match the filter, are not hidden and keep the
        limits of the crowding.
        """
        eligible = np.logical_or.reduce([np.asarray(space.mask) for space in spaces])
        if parsed.allowed is not None:
            eligible &= parsed.allowed.mask
        eligible[parsed.hidden] = False
        read = parsed.request.k
        while True:
            rows = self.best(eligible, read)
            scores = np.zeros(len(rows), np.float32)
            known = rows < len(self.counts)
            scores[known] = self.counts[rows[known]]
            found = Walk(parsed.request.k, parsed.crowding).along(rows, scores)
            if found.is_full or len(rows) < read:
                return SearchResult(found.rows, found.scores, {})
            read *= _MORE


@dataclass(frozen=True, eq=False)
class Popularity(Popular):
    """Items by a number of interactions that stays as it is.

    Attributes:
        counts: Number of interactions per item, int64 ``[n]``; items after the first n have none.

    Example:
        >>> eligible = np.array([True, False, True, True])
        >>> Popularity(np.array([1, 3, 3, 2])).best(eligible, k=2).tolist()
        [2, 3]
    """

    counts: Counts
