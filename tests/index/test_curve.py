"""Settings read from a curve."""

from __future__ import annotations

import json
from typing import Any

import pytest

from recsys.index.curve import EFFORTS, Curve, CurvePoint, CutoffCurve, Setting

RANKS = (1, 10, 100, 1_000)


def line(rank: int) -> CutoffCurve:
    """Five settings, each twice as dear as the one before."""
    points = [
        CurvePoint(2**step * rank, 2**step * 4 * rank, 0.9 + step / 100, 1e-5 * rank * 2**step)
        for step in range(5)
    ]
    return CutoffCurve(rank, tuple(points), tuned=2)


CURVE = Curve(
    num_leaves=5_000,
    items=100_000,
    plain=tuple(line(rank) for rank in RANKS),
    tail=tuple(line(2 * rank) for rank in RANKS),
)


def test_a_measured_cutoff_has_its_own_setting() -> None:
    assert [CURVE.setting(rank) for rank in RANKS] == [
        Setting(4 * rank, 16 * rank) for rank in RANKS
    ]


def test_settings_between_and_beyond_the_cutoffs_rise_with_the_rank() -> None:
    settings = [CURVE.setting(rank) for rank in (1, 2, 5, 10, 30, 99, 100, 999, 5_000, 90_000)]
    assert [s.leaves for s in settings] == sorted(s.leaves for s in settings)
    assert [s.depth for s in settings] == sorted(s.depth for s in settings)
    assert settings[1] == Setting(8, 32)
    assert settings[-1] == Setting(5_000, 100_000)  # at most every leaf and row


def test_effort_moves_along_the_points_and_past_their_ends() -> None:
    settings = [CURVE.setting(100, effort=effort) for effort in (EFFORTS[0], 0.25, 0.5, 1, 2, 4, 8)]
    assert [s.leaves for s in settings] == [40, 100, 200, 400, 800, 1_600, 3_200]
    assert [s.depth for s in settings] == [160, 400, 800, 1_600, 3_200, 6_400, 12_800]


def test_depth_is_never_below_the_rank() -> None:
    assert CURVE.setting(7, effort=0.1).depth >= 7
    assert Curve(10, 1_000, fixed=Setting(3, 20)).setting(50) == Setting(3, 50)


def test_the_tail_has_settings_of_its_own() -> None:
    assert CURVE.setting(20, tail=True) == Setting(80, 320)


def test_the_expected_recall_lies_on_the_curve() -> None:
    assert CURVE.recall(10) == CURVE.recall(70) == pytest.approx(0.92)
    efforts = [CURVE.recall(10, effort=effort) for effort in (0.1, 0.5, 2, 2**1.5, 10)]
    assert efforts == pytest.approx([0.9, 0.91, 0.93, 0.935, 0.94])
    assert CURVE.recall(5, tail=True) == pytest.approx(0.92)
    assert Curve(10, 1_000, fixed=Setting(3, 20)).recall(10) is None


def test_one_cutoff_is_enough() -> None:
    curve = Curve(50, 70, plain=(line(1),), tail=(line(1),))
    assert curve.setting(1) == Setting(4, 16)
    assert curve.setting(4) == Setting(8, 64)


def test_a_curve_survives_json() -> None:
    for curve in (CURVE, Curve(10, 1_000, fixed=Setting(3, 20))):
        assert Curve.from_json(json.loads(json.dumps(curve.as_json()))) == curve


@pytest.mark.parametrize(
    "damage",
    [
        {"plain": []},
        {"plain": [{"rank": 1, "points": [], "tuned": 0}]},
        {"tail": [{"rank": 1, "points": [{"leaves": 1}], "tuned": 0}]},
        {"tail": CURVE.as_json()["tail"][::-1]},
        {"num_leaves": None},
    ],
)
def test_damaged_values_are_refused(damage: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Curve.from_json({**CURVE.as_json(), **damage})
