"""Statistics of items that sources and filters read: how often, how recently, since when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.ids import Rows, Vectors
from recsys.interactions import Interactions

Times = npt.NDArray[np.int64]
_DAY = 86_400.0
HALF_LIFE_DAYS = 14.0
"""Age at which an interaction counts half for the recent popularity."""
_SMOOTHING = 10.0
"""Number of interactions added to both sides of a trend, so that rare items have small ones."""


@dataclass(frozen=True, eq=False)
class ItemStatistics:
    """Statistics of the items of a log; items after the first m have none.

    Attributes:
        popularity: Number of interactions per item, float32 ``[m]``.
        recent: Number of interactions per item, each halved per half-life of its age at the end of
            the log, float32 ``[m]``; the popularity where the log has no times.
        first: Time of the first interaction per item in seconds since 1970, int64 ``[m]``; the
            largest integer for items without one. None where the log has no times.

    Example:
        >>> from recsys.ids import IdMap
        >>> log = Interactions.of(IdMap.of("user", ["ann"]), IdMap.of("item", ["lamp", "rug"]),
        ...     user=[0, 0, 0], item=[0, 0, 1], time=[10, 20, 90 * 86400])
        >>> statistics = ItemStatistics.of(log)
        >>> statistics.popular.tolist(), statistics.trending.tolist(), statistics.fresh.tolist()
        ([1, 0], [1], [1, 0])
    """

    popularity: Vectors
    recent: Vectors
    first: Times | None

    @classmethod
    def of(cls, log: Interactions) -> ItemStatistics:
        """Statistics of all interactions of a log."""
        counts, size = log.item_counts.astype(np.float32), len(log.items)
        if log.clock != "timestamp" or not len(log):
            return cls(counts, counts, None)
        ages = (log.time.max() - log.time) / _DAY
        recent = np.bincount(log.item, 0.5 ** (ages / HALF_LIFE_DAYS), minlength=size)
        first = np.full(size, np.iinfo(np.int64).max, np.int64)
        np.minimum.at(first, log.item, log.time)
        return cls(counts, recent.astype(np.float32), first)

    def __len__(self) -> int:
        return len(self.popularity)

    @cached_property
    def popular(self) -> Rows:
        """Rows with recent interactions, those with most of them first."""
        return _descending(self.recent)

    @cached_property
    def trending(self) -> Rows:
        """Rows whose share of recent interactions exceeds that of all, the largest ratio first."""
        return _descending(np.where(self.trend > 0, self.trend, 0))

    @cached_property
    def trend(self) -> Vectors:
        """Logarithm of the recent share over the share of all interactions, float32 ``[m]``."""
        recent, all_time = float(self.recent.sum()), float(self.popularity.sum())
        if not recent:
            return np.zeros(len(self), np.float32)
        expected = self.popularity * np.float32(recent / all_time)
        smoothing = _SMOOTHING * recent / all_time
        return np.log((self.recent + smoothing) / (expected + smoothing)).astype(np.float32)

    @cached_property
    def fresh(self) -> Rows:
        """Rows with interactions, the latest first interaction first; none without times."""
        if self.first is None:
            return np.empty(0, np.int32)
        order = np.argsort(-self.first, kind="stable").astype(np.int32)
        return order[self.popularity[order] > 0]

    def of_rows(self, column: Vectors, rows: Rows) -> Vectors:
        """Values of a column for some rows; 0 for later rows."""
        known = rows < len(column)
        if known.all():
            return column[rows]
        return np.where(known, column[np.where(known, rows, 0)], np.float32(0))


def _descending(values: npt.NDArray[np.floating]) -> Rows:
    order = np.argsort(-values, kind="stable").astype(np.int32)
    found: Rows = order[values[order] > 0]
    return found
