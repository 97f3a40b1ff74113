"""Recall against latency of a partitioned index, and the setting of a search that follows from it.

A curve is measured when the index is built. It holds, for a few rank cutoffs, settings of rising
cost with their recall; a search reads its own setting from it by interpolation.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

EFFORTS = (0.1, 10.0)
"""Least and greatest effort of a search."""
_UNMEASURED_LEAVES = 0.5
"""Power of the rank with which the leaves grow where only one cutoff was measured."""


@dataclass(frozen=True)
class Setting:
    """Setting of one search.

    Attributes:
        leaves: Number of partitions searched.
        depth: Number of rows, the best by quantised score, whose score is computed exactly.
    """

    leaves: int
    depth: int


@dataclass(frozen=True)
class CurvePoint:
    """One measured setting.

    Attributes:
        leaves: Number of partitions searched.
        depth: Number of rows whose score is computed exactly.
        recall: Share of the exact answer that is found, mean over the worst kind of query.
        seconds: Duration of one query in a batch.
    """

    leaves: int
    depth: int
    recall: float
    seconds: float


@dataclass(frozen=True)
class CutoffCurve:
    """Measured settings for one rank cutoff.

    Attributes:
        rank: The cutoff K.
        points: Settings by rising duration and recall.
        tuned: Position in ``points`` of the setting that reaches the target; effort 1.
    """

    rank: int
    points: tuple[CurvePoint, ...]
    tuned: int

    @property
    def tuned_point(self) -> CurvePoint:
        """The setting that reaches the target."""
        return self.points[self.tuned]

    def at(self, effort: float) -> tuple[float, float]:
        """Leaves and depth that take about ``effort`` times the tuned duration."""
        seconds = self.tuned_point.seconds * effort
        first, last = self.points[0], self.points[-1]
        if seconds <= first.seconds or seconds >= last.seconds:
            # Beyond the measured settings, the duration is taken as proportional to both numbers.
            end = first if seconds <= first.seconds else last
            factor = seconds / end.seconds
            return end.leaves * factor, end.depth * factor
        after = next(i for i, point in enumerate(self.points) if point.seconds > seconds)
        low, high = self.points[after - 1], self.points[after]
        share = math.log(seconds / low.seconds) / math.log(high.seconds / low.seconds)
        return (
            _between(low.leaves, high.leaves, share),
            _between(low.depth, high.depth, share),
        )

    def recall_at(self, effort: float) -> float:
        """Recall of the setting of :meth:`at`, between those of the measured settings."""
        seconds, recalls = zip(*((point.seconds, point.recall) for point in self.points))
        wanted = math.log(self.tuned_point.seconds * effort)
        return float(np.interp(wanted, np.log(seconds), recalls))


@dataclass(frozen=True)
class Curve:
    """Settings of an index by rank, effort, and whether rows may be missing from the top.

    Attributes:
        num_leaves: Number of partitions of the index.
        items: Number of its rows.
        plain: By rising cutoff K, settings measured on the ranks 1 to K.
        tail: By rising cutoff K, settings measured on the ranks above K / 2 up to K: those that a
            search needs when the rows before them are excluded.
        fixed: Setting of every search where the configuration gives the numbers; the rest is empty.

    Example:
        >>> points = (CurvePoint(8, 40, 0.9, 1e-4), CurvePoint(16, 80, 0.95, 2e-4))
        >>> ten = CutoffCurve(10, points, tuned=0)
        >>> hundred = CutoffCurve(100, (CurvePoint(32, 400, 0.9, 4e-4),), tuned=0)
        >>> curve = Curve(1000, 1_000_000, plain=(ten, hundred), tail=(ten, hundred))
        >>> curve.setting(10), curve.setting(10, effort=2)
        (Setting(leaves=8, depth=40), Setting(leaves=16, depth=80))
        >>> curve.setting(30).leaves, Curve.from_json(curve.as_json()) == curve
        (16, True)
    """

    num_leaves: int
    items: int
    plain: tuple[CutoffCurve, ...] = ()
    tail: tuple[CutoffCurve, ...] = ()
    fixed: Setting | None = None

    def setting(self, rank: int, *, effort: float = 1.0, tail: bool = False) -> Setting:
        """Setting with which the ``rank`` best rows are found with the tuned recall.

        Args:
            rank: Number of rows needed, 1 or more; with ``tail``, the rank of the last row needed.
            effort: Duration relative to the tuned one, within ``EFFORTS``.
            tail: Whether the target must hold for the last ranks by themselves.

        Returns:
            At most every leaf and row, at least one leaf and ``rank`` rows.
        """
        if self.fixed is not None:
            return self._bounded(self.fixed.leaves, self.fixed.depth, rank)
        cutoffs = self.tail if tail else self.plain
        if len(cutoffs) == 1:
            leaves, depth = cutoffs[0].at(effort)
            factor = rank / cutoffs[0].rank
            return self._bounded(leaves * factor**_UNMEASURED_LEAVES, depth * factor, rank)
        after = next((i for i, c in enumerate(cutoffs) if c.rank >= rank), len(cutoffs) - 1)
        low, high = cutoffs[max(after - 1, 0)], cutoffs[max(after, 1)]
        share = math.log(rank / low.rank) / math.log(high.rank / low.rank)
        (low_leaves, low_depth), (high_leaves, high_depth) = low.at(effort), high.at(effort)
        depth = _between(low_depth, high_depth, share)
        if rank > high.rank:
            depth = max(depth, high_depth * rank / high.rank)
        return self._bounded(_between(low_leaves, high_leaves, share), depth, rank)

    def recall(self, rank: int, *, effort: float = 1.0, tail: bool = False) -> float | None:
        """Recall of the setting of :meth:`setting`, or None where the settings were given.

        Between the measured ranks and efforts it is interpolated; beyond them it is the nearest.
        """
        cutoffs = self.tail if tail else self.plain
        if self.fixed is not None or not cutoffs:
            return None
        ranks = [cutoff.rank for cutoff in cutoffs]
        recalls = [cutoff.recall_at(effort) for cutoff in cutoffs]
        return float(np.interp(math.log(rank), np.log(ranks), recalls))

    def _bounded(self, leaves: float, depth: float, rank: int) -> Setting:
        # Rounded up, but not for the error of a logarithm.
        whole = [math.ceil(number * (1 - 1e-9)) for number in (leaves, depth)]
        return Setting(
            leaves=max(1, min(whole[0], self.num_leaves)),
            depth=min(max(whole[1], rank), self.items),
        )

    def as_json(self) -> dict[str, Any]:
        """The curve as JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Curve:
        """The curve of :meth:`as_json`.

        Raises:
            KeyError, TypeError, ValueError: The values are not those of a curve.
        """
        fixed = values["fixed"]
        curve = cls(
            num_leaves=int(values["num_leaves"]),
            items=int(values["items"]),
            plain=_cutoffs(values["plain"]),
            tail=_cutoffs(values["tail"]),
            fixed=None if fixed is None else Setting(int(fixed["leaves"]), int(fixed["depth"])),
        )
        if curve.fixed is None and not (curve.plain and curve.tail):
            raise ValueError("a curve needs a measured or a fixed setting")
        return curve


def _cutoffs(values: Sequence[Mapping[str, Any]]) -> tuple[CutoffCurve, ...]:
    cutoffs = []
    for value in values:
        points = tuple(CurvePoint(**point) for point in value["points"])
        tuned = int(value["tuned"])
        seconds = [point.seconds for point in points]
        if not 0 <= tuned < len(points) or seconds != sorted(set(seconds)) or seconds[0] <= 0:
            raise ValueError(f"the points of rank {value['rank']} are not in the order of duration")
        cutoffs.append(CutoffCurve(int(value["rank"]), points, tuned))
    ranks = [cutoff.rank for cutoff in cutoffs]
    if ranks != sorted(set(ranks)):
        raise ValueError(f"the cutoffs must rise; got {ranks}")
    return tuple(cutoffs)


def _between(low: float, high: float, share: float) -> float:
    """The number at ``share`` of the way from ``low`` to ``high``, on a logarithmic scale."""
    return math.exp((1 - share) * math.log(low) + share * math.log(high))
