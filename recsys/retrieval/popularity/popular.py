"""Popular items: the answer to an unknown user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.ids import Mask, Rows
from recsys.interactions import Interactions
from recsys.retrieval.crowding import Walk
from recsys.retrieval.fusion_search import SearchResult
from recsys.retrieval.parsing import ParsedRequest
from recsys.retrieval.popularity.statistics import ItemStatistics
from recsys.retrieval.space import Space

Counts = npt.NDArray[np.int64]
_MORE = 4
"""Factor by which more items are read where a crowding leaves too few."""


class Popular:
    """Items by their number of interactions.

    Attributes:
        counts: Number of interactions per item, int64 ``[n]``; items after the first n have none.
        statistics: Statistics of the same items.
    """

    counts: Counts
    statistics: ItemStatistics

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
    """Items by the interactions of a log.

    Attributes:
        log: The log.

    Example:
        >>> from recsys.ids import IdMap
        >>> users, items = IdMap.of("user", ["ann"]), IdMap.of("item", ["lamp", "rug", "mug"])
        >>> log = Interactions.of(users, items, user=[0, 0], item=[1, 2], time=[10, 20])
        >>> Popularity(log).best(np.array([True, False, True]), k=2).tolist()
        [2, 0]
    """

    log: Interactions

    @cached_property
    def counts(self) -> Counts:  # type: ignore[override]  # written once, as any attribute
        """Number of interactions per item, int64 ``[n]``."""
        return self.log.item_counts

    @cached_property
    def statistics(self) -> ItemStatistics:  # type: ignore[override]
        """Statistics of the items of the log."""
        return ItemStatistics.of(self.log)
