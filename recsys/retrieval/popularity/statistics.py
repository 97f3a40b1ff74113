"""Statistics of items: how often, how recently, since when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys.ids import Rows, Vectors
from recsys.interactions import Interactions
from recsys.retrieval.popularity.orders import ItemOrder
from recsys.retrieval.popularity.totals import NEVER, InteractionTotals, Times

_SMOOTHING = 10.0
"""Number of interactions added to both sides of a trend, so that rare items have small ones."""
_LEAST = 2.0**-100
"""Least share of an interaction of any age, so that old ones still order the items."""


@dataclass(frozen=True, eq=False)
class ItemStatistics:
    """Statistics of n items; items after them have none.

    Attributes:
        popularity: Number of interactions per item, float32 ``[n]``.
        recent: Number of interactions per item, each halved per half-life of its age at the time of
            the last interaction, float32 ``[n]``; the popularity where the log has no times.
        first: Time of the first interaction per item in seconds since 1970, int64 ``[n]``; the
            largest integer for items without one. None where the log has no times.
        known: Number of items of the log; later ones were added since.

    Example:
        >>> from recsys.ids import IdMap
        >>> log = Interactions.of(IdMap.of("user", ["ann"]), IdMap.of("item", ["lamp", "rug"]),
        ...     user=[0, 0, 0], item=[0, 0, 1], time=[10, 20, 90 * 86400])
        >>> statistics = ItemStatistics.of(log)
        >>> [order.first(2).tolist() for order in (statistics.popular, statistics.trending)]
        [[1, 0], [1]]
        >>> statistics.fresh.first(2).tolist()
        [1, 0]
    """

    popularity: Vectors
    recent: Vectors
    first: Times | None
    known: int

    @classmethod
    def of(cls, log: Interactions) -> ItemStatistics:
        """Statistics of all interactions of a log."""
        return cls.from_totals(
            InteractionTotals.of(log), len(log.items), timed=log.clock == "timestamp"
        )

    @classmethod
    def from_totals(cls, totals: InteractionTotals, known: int, *, timed: bool) -> ItemStatistics:
        """Statistics of totals; ``timed`` states whether their times are times."""
        counts = totals.counts.astype(np.float32)
        if not timed or totals.end == -np.inf:
            return cls(counts, counts, None, known)
        recent = np.maximum(totals.recent, 0) + _LEAST * totals.counts
        return cls(counts, recent.astype(np.float32), totals.first, known)

    def __len__(self) -> int:
        return len(self.popularity)

    @cached_property
    def popular(self) -> ItemOrder:
        """Rows with interactions, those with most recent ones first."""
        return ItemOrder(np.where(self.recent > 0, self.recent, -np.inf))

    @cached_property
    def trending(self) -> ItemOrder:
        """Rows whose share of recent interactions exceeds that of all, the largest ratio first."""
        return ItemOrder(np.where(self.trend > 0, self.trend, -np.inf))

    @cached_property
    def trend(self) -> Vectors:
        """Logarithm of the recent share over the share of all interactions, float32 ``[n]``."""
        recent, all_time = float(self.recent.sum()), float(self.popularity.sum())
        if not recent:
            return np.zeros(len(self), np.float32)
        expected = self.popularity * np.float32(recent / all_time)
        smoothing = np.float32(_SMOOTHING * recent / all_time)
        return np.log((self.recent + smoothing) / (expected + smoothing)).astype(np.float32)

    @cached_property
    def fresh(self) -> ItemOrder:
        """Rows added since the log, the latest first, then those of the latest first interaction.

        The latter are left out where the log has no times.
        """
        keys = np.full(len(self), -np.inf)
        if self.first is not None:
            timed = (self.first < NEVER) & (self.popularity > 0)
            keys[timed] = self.first[timed]
        latest = keys[: self.known].max(initial=0.0)
        keys[self.known :] = latest + 1 + np.arange(len(self) - self.known)
        return ItemOrder(keys)

    def of_rows(self, column: Vectors, rows: Rows) -> Vectors:
        """Values of a column for some rows; 0 for later rows."""
        known = rows < len(column)
        if known.all():
            return column[rows]
        return np.where(known, column[np.where(known, rows, 0)], np.float32(0))
