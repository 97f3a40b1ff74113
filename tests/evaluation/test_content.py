"""The mean of a history's vectors, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.errors import InvalidRequestError
from recsys.evaluation import MeanOfItemsScorer, evaluate_queries
from recsys.features import FeatureBlock
from recsys.splits import HeldOutQueries
from tests.contracts.scorer_contract import ScorerContract

# Item 4 has no title.
BLOCK = FeatureBlock(
    np.array([[1, 0], [0.6, 0.8], [0, 1], [-1, 0], [0, 0]], np.float32),
    np.array([True, True, True, True, False]),
    "title",
)
QUERIES = HeldOutQueries.of(
    user=[0, 1, 2, 3], histories=[[0, 2], [], [4], [4, 3, 3, 0]], targets=[[1], [0], [1], [2]]
)


class TestMeanOfItems(ScorerContract):
    @pytest.fixture
    def queries(self) -> HeldOutQueries:
        return QUERIES

    @pytest.fixture
    def scorer(self) -> MeanOfItemsScorer:
        return MeanOfItemsScorer(BLOCK)


def test_scores_are_inner_products_with_the_mean_of_the_history() -> None:
    scores = MeanOfItemsScorer(BLOCK).score(QUERIES)
    # The mean of (1, 0) and (0, 1) is (0.5, 0.5).
    np.testing.assert_allclose(scores[0, :4], [0.5, 0.7, 0.5, -0.5], rtol=1e-6)
    # Nothing to go by, nothing to say; also where the history holds only what has no title.
    assert scores[1, :4].tolist() == scores[2, :4].tolist() == [0, 0, 0, 0]
    # Repeats count twice; an item without a title has no weight: (1 - 1 - 1) / 3.
    np.testing.assert_allclose(scores[3, :4], [-1 / 3, -0.2, 0, 1 / 3], atol=1e-6)
    assert (scores[:, 4] == -np.inf).all()


def test_the_latest_items_may_speak_alone() -> None:
    scores = MeanOfItemsScorer(BLOCK, last=1).score(QUERIES)
    np.testing.assert_allclose(scores[0, :4], [0, 0.8, 1, 0], rtol=1e-6)
    with pytest.raises(InvalidRequestError, match="last must be 1 or more, or None for all; got 0"):
        MeanOfItemsScorer(BLOCK, last=0)


def test_a_user_without_titles_finds_nothing() -> None:
    every = np.ones(5, np.bool_)
    result = evaluate_queries(
        MeanOfItemsScorer(BLOCK),
        QUERIES,
        candidates=every,
        item_counts=np.ones(5, np.int64),
        ks=(1,),
    )
    assert result.values["recall@1"].tolist() == [1, 0, 0, 1]
