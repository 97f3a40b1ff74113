"""The cheapest settings that reach a recall, among all leaves and depths that were measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.index.building.costs import SearchCost
from recsys.index.building.sample import QuerySample
from recsys.index.building.sweep import RankRange, Sweep
from recsys.index.curve import CurvePoint, CutoffCurve

TOLERANCE = 0.01
"""Distance below the target that the recall on other queries may have."""
_CONFIDENCE = 2.33
"""Standard errors of a one-sided bound at 99 percent."""
_EFFORTS = (0.1, 0.2, 0.35, 0.5, 0.7, 1.4, 2.0, 3.0, 5.0, 10.0)
"""Costs of the points of a curve, relative to the tuned one."""
Numbers = npt.NDArray[np.float64]


def cutoff_curve(
    sample: QuerySample,
    sweeps: Sequence[Sweep],
    cost: SearchCost,
    ranks: RankRange,
    target: float,
) -> CutoffCurve | None:
    """Settings for ``ranks``; None if no measured one reaches the target.

    On all queries, and on the half that chooses, the mean recall of every kind reaches the target;
    on the half that verifies, its lower confidence bound may be at most ``TOLERANCE`` below.
    """
    points, reached = [], []
    for sweep in sweeps:
        usable = sweep.depths >= ranks.last
        recall = sweep.recall[ranks][:, usable]
        worst, good = _worst(sample, recall, ranks.size, target)
        for depth, share, enough in zip(sweep.depths[usable].tolist(), worst, good):
            seconds = cost.seconds(sweep.leaves, depth)
            points.append(CurvePoint(sweep.leaves, depth, float(share), seconds))
            reached.append(bool(enough))
    tuned = min(
        (point for point, enough in zip(points, reached) if enough),
        key=lambda point: (point.seconds, point.leaves),
        default=None,
    )
    return None if tuned is None else _around(tuned, points, ranks.last)


def _worst(sample: QuerySample, recall: Any, ranks: int, target: float) -> tuple[Numbers, Any]:
    """Mean recall of the worst kind per depth, and whether every kind reaches the target."""
    worst, good = np.ones(recall.shape[1]), np.ones(recall.shape[1], np.bool_)
    for _, members in sample.groups():
        chosen, verified = recall[members & ~sample.verifying], recall[members & sample.verifying]
        mean = recall[members].mean(axis=0, dtype=np.float64)
        worst = np.minimum(worst, mean)
        good &= np.minimum(mean, chosen.mean(axis=0, dtype=np.float64)) >= target - 1e-9
        if len(verified):
            proven = lower_bound(verified, ranks) >= target - TOLERANCE
            good &= proven | (verified.min(axis=0) == 1)  # Few queries prove no more than that.
    return worst, good


def lower_bound(recall: Any, ranks: int) -> Numbers:
    """One-sided lower confidence bound, at 99 percent, of the mean over the first axis.

    One more query that loses one of its ``ranks`` is added, since a sample without any loss does
    not prove that there is none.
    """
    more = np.full((1, recall.shape[1]), 1 - 1 / ranks)
    recall = np.concatenate([recall, more])
    mean: Numbers = recall.mean(axis=0, dtype=np.float64)
    error: Numbers = recall.std(axis=0, dtype=np.float64) / np.sqrt(len(recall))
    return mean - _CONFIDENCE * error


def _around(tuned: CurvePoint, points: Sequence[CurvePoint], rank: int) -> CutoffCurve:
    """The tuned point, and for other costs the points of the highest recall."""
    kept = [tuned]
    for effort in _EFFORTS:
        within = [point for point in points if point.seconds <= effort * tuned.seconds]
        if not within:
            continue
        best = max(within, key=lambda point: (point.recall, -point.seconds))
        cheaper = best.seconds < tuned.seconds and best.recall < tuned.recall
        dearer = best.seconds > tuned.seconds and best.recall > tuned.recall
        if cheaper or dearer:
            kept.append(best)
    rising: list[CurvePoint] = []
    for point in sorted(set(kept), key=lambda point: point.seconds):
        if not rising or point.seconds > rising[-1].seconds:
            rising.append(point)
    return CutoffCurve(rank, tuple(rising), rising.index(tuned))
