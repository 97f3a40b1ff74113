"""Choice of the way to answer each query, by its estimated cost.

The plan of a query depends on nothing else in its batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from recsys.index.arguments import SearchArguments
from recsys.index.curve import Curve, Setting
from recsys.index.leaves.calibration import LeafReach

_CODE_ROW = 12
"""Number of ScaNN's codes that are read in the time of one row of a leaf scan."""
_CANDIDATE = 6
"""Number of rows of a leaf scan that are read in the time of one exact score."""
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


def plans(curve: Curve, reach: LeafReach, arguments: SearchArguments) -> Iterator[Plan]:
    """The plans of a batch; each query is in one of them."""
    everyone = np.arange(len(arguments))
    eligible = arguments.eligible(curve.items)
    if not eligible or not len(arguments):
        return
    plain = _setting(curve, arguments, arguments.k, tail=False)
    if _is_complete(curve, plain) or arguments.k * _MATRIX_SHARE > eligible:
        yield Plan("exact", everyone)
    elif arguments.allowed is not None:
        yield _filtered(curve, reach, arguments, plain, eligible)
    else:
        counts = arguments.excluded.counts
        for excluded in np.unique(_rounded(counts)):
            chosen = np.flatnonzero(_rounded(counts) == excluded)
            rank = math.ceil((arguments.k + int(excluded)) * curve.items / eligible)
            yield _unfiltered(curve, reach, arguments, chosen, rank)


def _filtered(
    curve: Curve, reach: LeafReach, arguments: SearchArguments, plain: Setting, eligible: int
) -> Plan:
    everyone = np.arange(len(arguments))
    if eligible <= curve.num_leaves:
        return Plan("exact", everyone)
    # As many rows as an unfiltered search has time for are all compared.
    if eligible <= _scann_cost(curve, plain):
        return Plan("leaves", everyone)
    return Plan("leaves", everyone, reach=reach.reach)


def _unfiltered(
    curve: Curve, reach: LeafReach, arguments: SearchArguments, chosen: Any, rank: int
) -> Plan:
    if rank == arguments.k:
        return Plan("scann", chosen, _setting(curve, arguments, rank, tail=False))
    setting = _setting(curve, arguments, rank, tail=True)
    scan = reach.read(rank) + _CANDIDATE * rank
    if _is_complete(curve, setting) or scan < _scann_cost(curve, setting):
        return Plan("leaves", chosen, reach=reach.reach)
    return Plan("scann", chosen, setting)


def _setting(curve: Curve, arguments: SearchArguments, rank: int, *, tail: bool) -> Setting:
    return curve.setting(min(rank, curve.items), effort=arguments.effort, tail=tail)


def _is_complete(curve: Curve, setting: Setting) -> bool:
    return setting.leaves == curve.num_leaves or setting.depth * _MATRIX_SHARE > curve.items


def _scann_cost(curve: Curve, setting: Setting) -> float:
    """Estimated cost of a search by ScaNN, in rows of a leaf scan."""
    codes = setting.leaves * curve.items / curve.num_leaves
    return codes / _CODE_ROW + setting.depth * _CANDIDATE + curve.num_leaves


def _rounded(counts: Any) -> Any:
    """Numbers of excluded rows, rounded up to powers of two, so that few plans cover a batch."""
    return np.where(counts > 0, 2 ** np.ceil(np.log2(np.maximum(counts, 1))).astype(np.int64), 0)
