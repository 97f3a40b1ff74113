"""The plan of a query, by its estimated duration."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.ids import Mask
from recsys.index import RowSet
from recsys.index.arguments import Exclusions, SearchArguments
from recsys.index.building.costs import SearchCost
from recsys.index.curve import Curve, CurvePoint, CutoffCurve
from recsys.index.leaves.calibration import LeafMisses
from recsys.index.leaves.partition import Partition
from recsys.index.leaves.scan import LeafScan
from recsys.index.scann.planning import Planner

ROWS, LEAVES, K = 60_000, 100, 10


@pytest.fixture(scope="module")
def planner() -> Planner:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((ROWS, 8), np.float32)
    tokens = rng.integers(LEAVES, size=ROWS).astype(np.int32)
    scan = LeafScan.of(vectors, Partition.of(vectors, tokens, LEAVES))
    points = tuple(
        CutoffCurve(rank, (CurvePoint(leaves, 3 * rank, 0.95, 1e-5 * rank),), 0)
        for rank, leaves in ((10, 4), (1_000, 60))
    )
    curve = Curve(LEAVES, ROWS, points, points)
    misses = LeafMisses((1, 1_000), (0.1, 0.1), (0.1, 0.1), (0.3, 0.3), (0.01, 0.01), (900.0, 2e4))
    return Planner(curve, misses, SearchCost(LEAVES, ROWS / LEAVES, 8, 8), scan)


def plan_of(planner: Planner, excluded: int = 0, allowed: Mask | None = None) -> tuple[str, float]:
    """Name and misses of the plan of one query."""
    arguments = SearchArguments(
        np.ones((1, 8), np.float32),
        K,
        Exclusions.of([range(excluded)], ROWS),
        None if allowed is None else RowSet.of_mask(allowed),
    )
    (plan,) = planner.plans(arguments)
    return plan.name, plan.misses


def test_few_eligible_rows_are_all_compared(planner: Planner) -> None:
    assert plan_of(planner, allowed=np.arange(ROWS) < 500)[0] == "exact"


def test_many_eligible_rows_are_scanned_by_how_they_are_spread(planner: Planner) -> None:
    random = np.random.default_rng(2).random(ROWS) < 0.5
    assert plan_of(planner, allowed=random) == ("leaves", pytest.approx(0.3))
    whole_leaves = planner.scan.partition.tokens < LEAVES // 2
    assert plan_of(planner, allowed=whole_leaves) == ("leaves", pytest.approx(0.01))


def test_many_excluded_rows_are_left_to_a_scan(planner: Planner) -> None:
    assert plan_of(planner)[0] == "scann"
    assert plan_of(planner, excluded=5)[0] == "scann"
    assert plan_of(planner, excluded=2_000) == ("leaves", pytest.approx(0.1))


def test_a_query_has_the_same_plan_in_a_batch(planner: Planner) -> None:
    exclude = [range(5), range(2_000), range(0)]
    arguments = SearchArguments(np.ones((3, 8), np.float32), K, Exclusions.of(exclude, ROWS))
    plans = {int(at): plan.name for plan in planner.plans(arguments) for at in plan.queries}
    assert plans == {0: "scann", 1: "leaves", 2: "scann"}
