"""Choice of the way to answer each query, by its estimated cost.

The plan of a query depends on nothing else in its batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from recsys.index.arguments import SearchArguments
from recsys.index.curve import Curve, Setting
from recsys.index.leaves.calibration import LeafReach

_CODE_ROW = 12
"""Number of ScaNN's codes that are read in the time of one row of a leaf scan."""
_CANDIDATE = 6
"""Number of rows of a leaf scan that are read in the time of one exact score."""
_KEPT = 1024
"""Number of plans that are kept."""
_MATRIX_SHARE = 4
"""A depth above a quarter of the rows costs more than a comparison of all."""


@dataclass(frozen=True, eq=False)
class Plan:
    """How some queries of a batch are answered.

    Attributes:
        name: "exact", "leaves" or "scann".
        queries: Positions of the queries, int64.
        setting: Leaves and depth of ScaNN.
        reach: Reach of a leaf scan; infinite for an exact answer.
    """

    name: Literal["exact", "leaves", "scann"]
    queries: Any
    setting: Setting | None = None
    reach: float = math.inf


@dataclass(frozen=True, eq=False)
class PlainPlans:
    """The plans of queries without filters and exclusions, kept by k and effort."""

    curve: Curve
    reach: LeafReach
    _kept: dict[tuple[int, float], tuple[Any, ...]] = field(default_factory=dict)

    def plan(self, arguments: SearchArguments) -> Plan:
        """The plan of a batch."""
        key = arguments.k, arguments.effort
        chosen = self._kept.get(key)
        if chosen is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            chosen = self._kept[key] = self._choose(*key)
        name, setting, reach = chosen
        return Plan(name, np.arange(len(arguments)), setting, reach)

    def _choose(self, k: int, effort: float) -> tuple[Any, ...]:
        setting = _setting(self.curve, k, effort, tail=False)
        if _is_complete(self.curve, setting):
            return "exact", None, math.inf
        tuned = self.curve.fixed is None
        if tuned and _scan_cost(self.curve, self.reach, k) < _scann_cost(self.curve, setting):
            return "leaves", None, self.reach.plain
        return "scann", setting, math.inf


def plans(
    curve: Curve, reach: LeafReach, arguments: SearchArguments, plain: PlainPlans
) -> Iterator[Plan]:
    """The plans of a batch; each query is in one of them."""
    eligible = arguments.eligible(curve.items)
    if not eligible or not len(arguments):
        return
    usual = plain.plan(arguments)
    if usual.name == "exact" or arguments.k * _MATRIX_SHARE > eligible:
        yield Plan("exact", usual.queries)
    elif arguments.allowed is not None:
        setting = _setting(curve, arguments.k, arguments.effort, tail=False)
        yield _filtered(curve, reach, usual.queries, setting, eligible)
    elif eligible == curve.items and not len(arguments.excluded.rows):
        yield usual
    else:
        counts = _rounded(arguments.excluded.counts)
        for excluded in np.unique(counts):
            chosen = np.flatnonzero(counts == excluded)
            rank = math.ceil((arguments.k + int(excluded)) * curve.items / eligible)
            setting = _setting(curve, rank, arguments.effort, tail=True)
            yield _unfiltered(curve, reach, chosen, setting, rank)


def _unfiltered(curve: Curve, reach: LeafReach, chosen: Any, setting: Setting, rank: int) -> Plan:
    if _is_complete(curve, setting) or _scan_cost(curve, reach, rank) < _scann_cost(curve, setting):
        return Plan("leaves", chosen, reach=reach.filtered)
    return Plan("scann", chosen, setting)


def _filtered(curve: Curve, reach: LeafReach, everyone: Any, plain: Setting, eligible: int) -> Plan:
    if eligible <= curve.num_leaves:
        return Plan("exact", everyone)
    # As many rows as an unfiltered search has time for are all compared.
    if eligible <= _scann_cost(curve, plain):
        return Plan("leaves", everyone)
    return Plan("leaves", everyone, reach=reach.filtered)


def _scan_cost(curve: Curve, reach: LeafReach, rank: int) -> float:
    """Estimated cost of a leaf scan without a filter, in rows read."""
    return reach.read(rank) + _CANDIDATE * rank + curve.num_leaves


def _setting(curve: Curve, rank: int, effort: float, *, tail: bool) -> Setting:
    return curve.setting(min(rank, curve.items), effort=effort, tail=tail)


def _is_complete(curve: Curve, setting: Setting) -> bool:
    return setting.leaves == curve.num_leaves or setting.depth * _MATRIX_SHARE > curve.items


def _scann_cost(curve: Curve, setting: Setting) -> float:
    """Estimated cost of a search by ScaNN, in rows of a leaf scan."""
    codes = setting.leaves * curve.items / curve.num_leaves
    return codes / _CODE_ROW + setting.depth * _CANDIDATE + curve.num_leaves


def _rounded(counts: Any) -> Any:
    """Numbers of excluded rows, rounded up to powers of two, so that few plans cover a batch."""
    return np.where(counts > 0, 2 ** np.ceil(np.log2(np.maximum(counts, 1))).astype(np.int64), 0)
