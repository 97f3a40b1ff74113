"""Ranked lists of other models as a scorer."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.peer_models.files import RankedLists
from benchmarks.quality.scoring import ListScorer
from recsys.errors import DataError
from recsys.splits import HeldOutQueries, LeaveLastOutConfig, split
from recsys.tuning.variants import evaluate_part
from tests.contracts.scorer_contract import ScorerContract
from tests.splits.logs import log

INF = np.inf
LISTS = RankedLists(
    np.array([2, 0, 1], np.int32),
    np.array([[3, 1], [1, 2], [0, 0]], np.int32),
    np.array([[9.0, 4.0], [2.0, 1.0], [0.5, -INF]], np.float32),
)


class TestLists(ScorerContract):
    @pytest.fixture
    def scorer(self) -> ListScorer:
        return ListScorer("peer", LISTS, items=4)

    @pytest.fixture
    def queries(self) -> HeldOutQueries:
        return HeldOutQueries.of(user=[0, 2, 1], histories=[[0], [], [3]], targets=[[1], [2], [0]])

    def test_a_user_has_the_scores_of_the_user_list(self, scorer, queries) -> None:
        assert scorer.score(queries).tolist() == [
            [-INF, 2.0, 1.0, -INF],
            [-INF, 4.0, -INF, 9.0],
            [0.5, -INF, -INF, -INF],
        ]


def test_a_user_without_a_list_is_named() -> None:
    queries = HeldOutQueries.of(user=[0, 5], histories=[[], []], targets=[[1], [1]])
    with pytest.raises(DataError, match="'peer' has no list for user row 5"):
        ListScorer("peer", LISTS, items=4).score(queries)
    nobody = RankedLists(*(part[:0] for part in (LISTS.user, LISTS.rows, LISTS.scores)))
    with pytest.raises(DataError, match="no list for user row 0"):
        ListScorer("peer", nobody, items=4).score(queries)


def test_lists_that_cannot_be_are_refused() -> None:
    with pytest.raises(DataError, match="lists a row that is none of the 3 items"):
        ListScorer("peer", LISTS, items=3)
    twice = RankedLists(np.array([1, 1], np.int32), LISTS.rows[:2], LISTS.scores[:2])
    with pytest.raises(DataError, match="two lists for a user"):
        ListScorer("peer", twice, items=4)


def test_it_is_evaluated_as_any_scorer() -> None:
    histories = {"ann": [("a", 1), ("b", 2), ("c", 3)], "bob": [("b", 1), ("c", 2), ("d", 3)]}
    parts = split(log(histories, items="abcd"), LeaveLastOutConfig())
    # Ann's target c is second in her list; the list of bob, whose target is d, is empty.
    lists = RankedLists(
        np.array([0, 1], np.int32),
        np.array([[3, 2], [0, 0]], np.int32),
        np.array([[2.0, 1.0], [-INF, -INF]], np.float32),
    )
    scorer = ListScorer("peer", lists, items=4)
    assert evaluate_part(scorer, parts, "test", ["hr@1", "hr@2", "ndcg@2"]) == {
        "hr@1": 0.0,
        "hr@2": 0.5,
        "ndcg@2": pytest.approx(0.5 / np.log2(3)),
    }
