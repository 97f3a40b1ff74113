"""Popular items: the answer to an unknown user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.ids import Rows
from recsys.retrieval.crowding import Walk
from recsys.retrieval.fusion_search import SearchResult
from recsys.retrieval.parsing import ParsedRequest
from recsys.retrieval.space import Space


@dataclass(frozen=True, eq=False)
class Popularity:
    """Items by their number of interactions.

    Attributes:
        counts: Number of interactions per item, int64 ``[n]``; items after the first n have none.

    Example:
        >>> Popularity(np.array([1, 3, 3])).order.tolist()
        [1, 2, 0]
    """

    counts: npt.NDArray[np.int64]

    @cached_property
    def order(self) -> Rows:
        """Rows of all items, those with most interactions first, of equal ones the lower row."""
        return np.argsort(-self.counts, kind="stable").astype(np.int32)

    def search(self, parsed: ParsedRequest, spaces: Sequence[Space]) -> SearchResult:
        """The k items with most interactions; scores are their numbers.

        Items have a vector in one of the spaces, match the filter, are not hidden and keep the
        limits of the crowding.
        """
        eligible = np.logical_or.reduce([np.asarray(space.mask) for space in spaces])
        if parsed.allowed is not None:
            eligible &= parsed.allowed.mask
        eligible[parsed.hidden] = False
        later = np.arange(len(self.counts), len(eligible), dtype=np.int32)
        order = np.concatenate([self.order, later])
        rows = order[eligible[order]]
        scores = np.zeros(len(rows), np.float32)
        counted = rows < len(self.counts)
        scores[counted] = self.counts[rows[counted]]
        walk = Walk(parsed.request.k, parsed.crowding)
        found = walk.along(rows, scores)
        return SearchResult(found.rows, found.scores, {})
