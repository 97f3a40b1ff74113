"""Pair networks as scorers, and figures over pairs worked by hand."""

from __future__ import annotations

from dataclasses import replace
from math import log as ln

import numpy as np
import pytest

from recsys.errors import InvalidRequestError
from recsys.evaluation import VectorScorer
from recsys.evaluation.pairs import (
    LabelledPairs,
    SparsePairScorer,
    VectorPairScorer,
    evaluate_pairs,
    sample_pairs,
)
from recsys.features import FeatureBlock
from recsys.ids import IdMap
from recsys.ranking import (
    SearchedWords,
    SparsePairConfig,
    SparsePairNetwork,
    VectorPairConfig,
    VectorPairNetwork,
)
from recsys.ranking.head import PairHead
from recsys.splits import HeldOutQueries
from tests.contracts.scorer_contract import ScorerContract
from tests.splits.logs import log

# The inner product of the first layer's product part, twice, less 1: log-odds = 2 u . v - 1.
ADD = np.zeros((8, 4))
ADD[4, :2], ADD[5, 2:] = (1, -1), (1, -1)
HEAD = PairHead(
    ((ADD.astype(np.float32), np.zeros(4, np.float32)),
     (np.array([[2], [-2], [2], [-2]], np.float32), -np.ones(1, np.float32)))
)  # fmt: skip
# Item 4 has no vector and no training interactions.
BLOCK = FeatureBlock(
    np.array([[1, 0], [0, 1], [1, 1], [-1, 0], [0, 0]], np.float32),
    np.array([True, True, True, True, False]),
    "kind",
)
VECTORS = VectorPairNetwork(VectorPairConfig(window=2), np.zeros(2, np.float32), 1.0, HEAD)
SEARCHES = log({"ann": [("a", 5), ("b", 7)], "bob": [("b", 3)], "cid": [("c", 1)]}, items="abcde")
SEARCHES = SEARCHES.of(
    SEARCHES.users, SEARCHES.items, user=SEARCHES.user, item=SEARCHES.item, time=SEARCHES.time,
    phrases=("", "red", "blue red"), terms=[1, 0, 2, 0],
)  # fmt: skip
SPARSE = SparsePairNetwork(
    SparsePairConfig(dimension=2),
    SEARCHES.items,
    IdMap.of("word", ["red", "blue"]),
    warm=BLOCK.mask,
    item_vectors=BLOCK.vectors,
    word_vectors=np.array([[0, 1], [1, 0]], np.float32),
    mix=np.eye(2, dtype=np.float32),
    bias=np.array([0, 0, 0.5, 0, 0], np.float32),
    head=HEAD,
)
SEARCHED = SearchedWords(SEARCHES, SPARSE.words, last=3)
QUERIES = replace(
    HeldOutQueries.of(
        user=[0, 1, 2],
        histories=[[3, 0, 1], [], [4]],
        targets=[[2], [0], [1]],
        terms=[0, 2, 1],
        phrases=SEARCHES.phrases,
    ),
    time=np.array([6, 3, 4]),
)


class _Contract(ScorerContract):
    @pytest.fixture
    def queries(self) -> HeldOutQueries:
        return QUERIES


class TestVectorPairs(_Contract):
    @pytest.fixture
    def scorer(self) -> VectorPairScorer:
        return VectorPairScorer(VECTORS, BLOCK)


class TestSparsePairs(_Contract):
    @pytest.fixture
    def scorer(self) -> SparsePairScorer:
        return SparsePairScorer(SPARSE, SEARCHED)


class TestSparsePairsInSearch(_Contract):
    @pytest.fixture
    def scorer(self) -> SparsePairScorer:
        return SparsePairScorer(SPARSE, SEARCHED, terms="now")


def test_vector_pairs_read_the_mean_of_the_window() -> None:
    scores = VectorPairScorer(VECTORS, BLOCK).score(QUERIES)
    # The last two of (3, 0, 1): the mean of (1, 0) and (0, 1); 2 u . v - 1.
    assert scores[0].tolist() == [0, 0, 1, -2, -np.inf]
    # Nothing known: u is zero, and the bias speaks.
    assert scores[1].tolist() == scores[2].tolist() == [-1, -1, -1, -1, -np.inf]


def test_only_candidates_are_scored() -> None:
    some = np.array([True, False, True, False, True])
    scores = VectorPairScorer(VECTORS, BLOCK, candidates=some).score(QUERIES)
    assert scores[0].tolist() == [0, -np.inf, 1, -np.inf, -np.inf]


def test_sparse_pairs_read_earlier_searches() -> None:
    scores = SparsePairScorer(SPARSE, SEARCHED).score(QUERIES)
    # ann: the mean of all three items, (0, 1/3), and "red" at 5, (0, 1); 2 u . v - 1 + b.
    np.testing.assert_allclose(scores[0, :4], [-1, 5 / 3, 5 / 3 + 0.5, -1], rtol=1e-5)
    # bob at 3 has searched for nothing *before* 3.
    assert scores[1].tolist() == [-1, -1, -0.5, -1, -np.inf]


def test_in_search_the_words_of_the_moment_are_read_too() -> None:
    scores = SparsePairScorer(SPARSE, SEARCHED, terms="now").score(QUERIES)
    # bob: the mean of "blue" (1, 0) and "red" (0, 1).
    assert scores[1, :4].tolist() == [0, 0, 1.5, -2]
    np.testing.assert_array_equal(
        scores[0], SparsePairScorer(SPARSE, SEARCHED).score(QUERIES)[0]
    )  # no search led to ann's target


def test_pairs_hold_each_target_and_nothing_known() -> None:
    queries = HeldOutQueries.of(user=[0, 1], histories=[[0], []], targets=[[2], [1, 3]])
    candidates = np.array([True] * 6 + [False])
    pairs = sample_pairs(queries, candidates=candidates, negatives=2, seed=4)
    assert pairs.query.tolist() == [0] * 3 + [1] * 6
    assert pairs.positive.tolist() == [True, False, False, True, True] + [False] * 4
    assert pairs.item[pairs.positive].tolist() == [2, 1, 3]
    assert set(pairs.item[1:3]) <= {1, 3, 4, 5} and set(pairs.item[5:]) == {0, 2, 4, 5}
    again = sample_pairs(queries, candidates=candidates, negatives=2, seed=4)
    np.testing.assert_array_equal(pairs.item, again.item)
    with pytest.raises(InvalidRequestError, match="1 or more negatives; got 2 and 0"):
        sample_pairs(queries, candidates=candidates, negatives=0)
    with pytest.raises(InvalidRequestError, match="got 0 and 4"):
        sample_pairs(queries.slice(0, 0), candidates=candidates)


def figures_of(**changes):
    """Two queries that see the same log-odds 0, 0, 2 and -inf."""
    table = np.array([[0, 0, 2, -np.inf]], np.float32)
    scorer = VectorScorer("known", table.T, lambda some: np.ones((len(some), 1), np.float32))
    queries = HeldOutQueries.of(user=[0, 1], histories=[[], []], targets=[[0], [2]])
    pairs = LabelledPairs(
        np.array([0, 0, 0, 1]), np.array([0, 1, 3, 2]), np.array([True, False, False, True])
    )
    return evaluate_pairs(scorer, queries, pairs, batch=1, **changes)


def test_auc_and_log_loss_by_hand() -> None:
    figures = figures_of()
    # Taken: 0 and 2. Not taken: 0 and -inf. In order: (0, 0) a tie, and three of three.
    assert figures["auc"] == 3.5 / 4
    # p: a half twice, sigmoid(2) for the positive, and 0 for the negative.
    expected = (ln(2) + ln(2) + ln(1 + np.exp(-2))) / 4
    assert figures["log_loss"] == pytest.approx(expected, abs=1e-6)
    assert figures["base_log_loss"] == pytest.approx(ln(2))
    assert figures_of(scores="order") == {"auc": 3.5 / 4}


def test_equal_labels_have_no_auc() -> None:
    pairs = LabelledPairs(np.array([0]), np.array([1]), np.array([True]))
    with pytest.raises(InvalidRequestError, match="all 1 are alike"):
        evaluate_pairs(VectorPairScorer(VECTORS, BLOCK), QUERIES, pairs)
