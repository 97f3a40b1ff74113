"""Figures of the stages of a feed, on lists small enough to compute by hand."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.errors import DataError, InvalidRequestError
from recsys.evaluation.feeds import Lists, StageLists, evaluate_stages

TARGETS = Lists.of([[3, 5], [1]])


def stage(name: str, role: str, *lists: list[int]) -> StageLists:
    return StageLists(name, role, Lists.of(lists))


def test_each_stage_is_compared_with_the_one_before() -> None:
    found = evaluate_stages(
        [
            stage("two_tower", "source", [2, 3], [0, 1]),
            stage("popular", "source", [5, 3], [0]),
            stage("merge", "merge", [2, 3, 5], [0, 1]),
            stage("seen", "filter", [2, 3, 5], [0]),
            stage("rank", "scorer", [3, 5, 2], [0]),
            stage("diversify", "diversity", [3, 2, 5], [0]),
        ],
        TARGETS,
        ks=(1, 2),
    )
    tower, popular, merge, seen, rank, diversify = found
    assert tower.figures["found"] == 0.75 and tower.figures["only"] == 0.5
    assert popular.figures["found"] == 0.5 and popular.figures["only"] == 0.25
    assert merge.figures["found"] == 1 and not merge.changes
    assert seen.changes["found"][0] == -0.5  # the filter removed the second query's target
    assert rank.changes["found"] == (0, (0, 0))
    assert rank.figures["recall@1"] == 0.25 and rank.changes["ndcg@2"][0] > 0
    assert diversify.changes["ndcg@2"][0] < 0
    assert [each.figures["items"] for each in found] == [2, 1.5, 2.5, 2, 2, 2]


def test_an_interval_contains_its_change() -> None:
    rng = np.random.default_rng(0)
    targets = Lists.of(rng.integers(0, 9, (200, 1)).tolist())
    stages = [
        StageLists(name, role, Lists.of([rng.permutation(9) for _ in range(200)]))
        for name, role in (("merge", "merge"), ("rank", "scorer"))
    ]
    change, (low, high) = evaluate_stages(stages, targets, ks=(3,))[1].changes["ndcg@3"]
    assert low < change < high and low < 0 < high


def test_a_list_without_items_finds_nothing() -> None:
    (found,) = evaluate_stages([stage("merge", "merge", [], [])], TARGETS)
    assert found.figures == {
        **dict.fromkeys(("items", "found"), 0),
        **{f"{name}@{k}": 0 for k in (10, 50) for name in ("recall", "ndcg")},
    }


def test_refusals_state_the_remedy() -> None:
    with pytest.raises(InvalidRequestError, match="'rank' has 1 queries, of 2"):
        evaluate_stages([stage("rank", "scorer", [1])], TARGETS)
    with pytest.raises(InvalidRequestError, match="queries and k >= 1"):
        evaluate_stages([], Lists.of([]))
    with pytest.raises(DataError, match="after an empty position"):
        Lists(np.zeros((1, 2), np.int32), np.array([[False, True]]))
