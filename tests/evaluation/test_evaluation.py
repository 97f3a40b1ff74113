"""Evaluation as a whole, on a table worked by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log2

import numpy as np
import pytest

from recsys.errors import InvalidRequestError
from recsys.evaluation import difference, evaluate_queries
from recsys.ids import IdMap
from recsys.splits import HeldOutQueries


@dataclass
class Table:
    """Scores by user."""

    scores: np.ndarray
    name: str = "table"

    def score(self, queries: HeldOutQueries) -> np.ndarray:
        return self.scores[queries.user]


# Items 0-5; 4 and 5 are cold, and 3 is no candidate. Interactions in training: 4, 2, 1, 1.
COUNTS = np.array([4, 2, 1, 1, 0, 0])
CANDIDATES = np.array([True, True, True, False, True, True])
QUERIES = HeldOutQueries.of(
    user=[0, 1, 2],
    histories=[[0], [], [1, 2]],
    targets=[[1, 4], [5], [0]],
)
SCORES = np.array(
    [
        [9, 5, 8, 7, 6, 1],  # without 0 (seen) and 3: 2, 4, 1, 5 -> targets 4 and 1 at 2 and 3
        [5, 4, 3, 2, 1, 0],  # without 3: 0, 1, 2, 4, 5 -> target 5 at 5
        [1, 9, 9, 9, 0, 2],  # without 1, 2 (seen) and 3: 5, 0, 4 -> target 0 at 2
    ],
    np.float32,
)
SEGMENTS = ("heavy", "new", "light")
PARTS = {"candidates": CANDIDATES, "item_counts": COUNTS}


@pytest.mark.parametrize("batch", [1, 2, 256])
def test_the_hand_worked_table(batch: int) -> None:
    result = evaluate_queries(Table(SCORES), QUERIES, **PARTS, ks=(1, 2, 5), batch=batch)
    expected = {
        "recall@1": 0,
        "recall@2": (1 / 2 + 0 + 1) / 3,
        "recall@5": (2 / 2 + 1 + 1) / 3,
        "hr@2": (1 + 0 + 1) / 3,
        "mrr@5": (1 / 2 + 1 / 5 + 1 / 2) / 3,
        "ndcg@2": ((1 / log2(3)) / (1 + 1 / log2(3)) + 0 + 1 / log2(3)) / 3,
        # First places: 2, 0, 5; first two: 2, 4, 0, 1, 5, 0. Of 5 candidates.
        "coverage@1": 3 / 5,
        "coverage@2": 5 / 5,
        # Warm targets: 1 (place 3) and 0 (place 2); cold: 4 (place 2) and 5 (place 5).
        "recall_of_warm@2": (0 + 1) / 2,
        "recall_of_cold@2": (1 + 0) / 2,
        "recall_of_cold@5": (1 + 1) / 2,
        # 8 interactions: item 0 begins at 0 and item 1 at 4, item 2 at 6 of 8 (thirds at 2.7, 5.3).
        "recall_of_head@2": 1 / 1,  # item 0
        "recall_of_middle@2": 0 / 1,  # item 1
        # Among the cold alone, 4 and 5: query 0 has 4 before 5, query 1 has 4 before 5.
        "cold_recall@1": (1 + 0) / 2,
        "cold_recall@2": (1 + 1) / 2,
    }
    for name, value in expected.items():
        assert result.figures[name] == pytest.approx(value), name
    assert "recall_of_tail@2" not in result.figures  # no target there
    assert result.counts == {
        "queries": 3,
        "targets": 4,
        "candidates": 5,
        "tied_queries": 0,
        "unreachable_targets": 0,
        "warm_queries": 2,
        "cold_queries": 2,
        "head_queries": 1,
        "middle_queries": 1,
        "tail_queries": 0,
    }
    assert set(result.intervals) == {n for n in result.figures if not n.startswith("coverage")}
    for name, (low, high) in result.intervals.items():
        assert low <= result.figures[name] <= high


def test_figures_by_kind_of_event_and_by_segment_of_users() -> None:
    """Targets 1 (place 3) and 4 (place 2) of user 0, 5 (place 5) of user 1, 0 (place 2) of 2."""
    queries = replace(
        QUERIES,
        context={"event": IdMap.of("event", ["view", "buy", "never"])},
        target_events=np.array([0, 1, 0, 1], np.int32),
    )
    result = evaluate_queries(
        Table(SCORES), queries, **PARTS, user_counts=np.array([9, 0, 4]), ks=(2, 5)
    )
    assert {name: value for name, value in result.figures.items() if "_of_event" in name} == {
        "recall_of_event_view@2": 0,
        "recall_of_event_view@5": 1,
        "ndcg_of_event_view@2": 0,
        "ndcg_of_event_view@5": pytest.approx((1 / log2(4) + 1 / log2(6)) / 2),
        "recall_of_event_buy@2": 1,
        "recall_of_event_buy@5": 1,
        "ndcg_of_event_buy@2": pytest.approx(1 / log2(3)),
        "ndcg_of_event_buy@5": pytest.approx(1 / log2(3)),
    }
    recalls = {name: result.figures[f"recall_of_{name}_users@2"] for name in SEGMENTS}
    assert recalls == {"heavy": 1 / 2, "new": 0, "light": 1}
    expected = {f"{name}_users_queries": 1 for name in SEGMENTS}
    expected |= {"event_view_queries": 2, "event_buy_queries": 2}
    assert expected.items() <= result.counts.items()
    # The same figures as those of the queries by themselves.
    alone = evaluate_queries(Table(SCORES), QUERIES.slice(0, 1), **PARTS, ks=(2, 5))
    assert result.figures["ndcg_of_heavy_users@5"] == pytest.approx(alone.figures["ndcg@5"])


def test_a_target_that_cannot_be_shown_is_a_counted_miss() -> None:
    queries = HeldOutQueries.of(user=[0, 0, 1], histories=[[2], [2], []], targets=[[3], [2], [5]])
    candidates = CANDIDATES & (np.arange(6) != 5)
    result = evaluate_queries(
        Table(SCORES), queries, candidates=candidates, item_counts=COUNTS, ks=(5,)
    )
    assert result.figures["recall@5"] == 0 and result.figures["cold_recall@5"] == 0
    assert result.counts["unreachable_targets"] == 3


def test_no_cold_figure_without_cold_targets() -> None:
    queries = HeldOutQueries.of(user=[0], histories=[[]], targets=[[0]])
    result = evaluate_queries(Table(SCORES), queries, **PARTS, ks=(1,))
    assert not [name for name in result.figures if "cold" in name]


def test_a_constant_scorer_has_no_hits_and_counts_ties() -> None:
    queries = HeldOutQueries.of(user=[0], histories=[[]], targets=[[0]])
    result = evaluate_queries(Table(np.zeros((1, 6), np.float32)), queries, **PARTS, ks=(2,))
    assert result.figures["recall@2"] == 0 and result.counts["tied_queries"] == 1


def test_the_difference_of_two_scorers_has_a_separate_interval() -> None:
    users = 200
    queries = HeldOutQueries.of(
        user=list(range(users)), histories=[[]] * users, targets=[[0]] * users
    )
    rng = np.random.default_rng(0)
    worse = rng.random((users, 6)).astype(np.float32)
    better = worse.copy()
    better[:100, 0] = 2
    first, second = (
        evaluate_queries(Table(scores), queries, **PARTS, ks=(1,)) for scores in (better, worse)
    )
    gap, (low, high) = difference(first, second, "recall@1")
    assert gap == pytest.approx(first.figures["recall@1"] - second.figures["recall@1"])
    assert 0 < low < gap < high
    with pytest.raises(InvalidRequestError, match="no common 'recall@7'.*recall@1"):
        difference(first, second, "recall@7")
    assert np.isnan(first.values["recall_of_cold@1"]).all()
    with pytest.raises(InvalidRequestError, match="no common 'recall_of_cold@1'"):
        difference(first, second, "recall_of_cold@1")


@pytest.mark.parametrize("arguments", [{"ks": (0,)}, {"ks": ()}, {"batch": 0}])
def test_arguments_out_of_range_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError, match="batch and every k must be 1 or more"):
        evaluate_queries(Table(SCORES), QUERIES, **PARTS, **arguments)


def test_no_queries_are_refused() -> None:
    with pytest.raises(InvalidRequestError, match="no queries"):
        evaluate_queries(Table(SCORES), QUERIES.slice(0, 0), **PARTS)


def test_progress_is_reported_after_each_batch() -> None:
    calls = []
    evaluate_queries(
        Table(SCORES),
        QUERIES,
        **PARTS,
        ks=(1,),
        batch=2,
        progress=lambda description, done, total, note="": calls.append((description, done, total)),
    )
    assert calls == [("evaluate table", 2, 3), ("evaluate table", 3, 3)]
