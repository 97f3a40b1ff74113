"""Totals of interactions per item, to which interactions are added one batch after another."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.ids import Rows
from recsys.interactions import Interactions

Times = npt.NDArray[np.int64]
HALF_LIFE_DAYS = 14.0
"""Age at which an interaction counts half for the recent popularity."""
NEVER = np.iinfo(np.int64).max
_HALF_LIFE = HALF_LIFE_DAYS * 86_400.0


@dataclass(eq=False)
class InteractionTotals:
    """Totals per item, or any other number.

    Attributes:
        counts: Number of interactions, int64 ``[n]``.
        recent: Number of interactions, each halved per half-life of its age at ``end``, float64
            ``[n]``.
        first: Time of the first interaction in seconds since 1970, int64 ``[n]``; the largest
            integer without one.
        end: Time from which ages are counted; that of the last interaction.

    Example:
        >>> totals = InteractionTotals.none(1)
        >>> totals.add(np.array([0, 1]), np.array([0, 14 * 86400]))
        >>> totals.counts.tolist(), totals.recent.tolist()
        ([1, 1], [0.5, 1.0])
    """

    counts: npt.NDArray[np.int64]
    recent: npt.NDArray[np.float64]
    first: Times
    end: float = -np.inf

    @classmethod
    def none(cls, size: int) -> InteractionTotals:
        """Totals of nothing."""
        return cls(np.zeros(size, np.int64), np.zeros(size), np.full(size, NEVER, np.int64))

    @classmethod
    def of(cls, log: Interactions) -> InteractionTotals:
        """Totals of a log; without times all interactions are as recent as the first."""
        found = cls.none(len(log.items))
        times = log.time if log.clock == "timestamp" else np.zeros(len(log), np.int64)
        found.add(log.item, times)
        return found

    def __len__(self) -> int:
        return len(self.counts)

    def add(self, rows: Rows, times: Times, sign: int = 1) -> None:
        """Add interactions, or take them away with ``sign=-1``; later times move ``end``."""
        if not len(rows):
            return
        self.resize(max(int(rows.max()) + 1, len(self)))
        if sign > 0:
            self.move_to(float(times.max()))
            np.minimum.at(self.first, rows, times)
        np.add.at(self.counts, rows, sign)
        np.add.at(self.recent, rows, sign * 0.5 ** ((self.end - times) / _HALF_LIFE))

    def move_to(self, end: float) -> None:
        """Count ages from a later time."""
        if end > self.end:
            if self.end > -np.inf:
                self.recent = self.recent * 0.5 ** ((end - self.end) / _HALF_LIFE)
            self.end = end

    def resize(self, size: int) -> None:
        """Have this number of entries; later ones are cut off."""
        more = size - len(self)
        if more:
            new = InteractionTotals.none(max(more, 0))
            for name in ("counts", "recent", "first"):
                joined = np.concatenate([getattr(self, name), getattr(new, name)])
                setattr(self, name, joined[:size])

    def copy(self) -> InteractionTotals:
        """Totals that change independently."""
        found = copy(self)
        found.counts, found.recent = self.counts.copy(), self.recent.copy()
        found.first = self.first.copy()
        return found
