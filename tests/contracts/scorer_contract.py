"""What every scorer must keep. A new scorer's test is one subclass with two fixtures.

class TestMine(ScorerContract):
    @pytest.fixture
    def scorer(self): ...
    @pytest.fixture
    def queries(self): ...
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.evaluation import Scorer, evaluate_queries
from recsys.splits import HeldOutQueries


class ScorerContract:
    """Subclass it; ``queries`` should hold at least three queries, one with an empty history."""

    @pytest.fixture
    def scorer(self) -> Scorer:
        raise NotImplementedError

    @pytest.fixture
    def queries(self) -> HeldOutQueries:
        raise NotImplementedError

    def test_scores_have_a_row_a_query_and_are_float32(self, scorer, queries) -> None:
        scores = scorer.score(queries)
        assert scores.ndim == 2 and len(scores) == len(queries)
        assert scores.dtype == np.float32

    def test_scores_are_finite_or_minus_infinity(self, scorer, queries) -> None:
        assert (scorer.score(queries) < np.inf).all()  # false for NaN too

    def test_no_queries_give_no_rows_and_as_many_columns(self, scorer, queries) -> None:
        width = scorer.score(queries).shape[1]
        assert scorer.score(queries.slice(0, 0)).shape == (0, width)

    def test_the_scores_of_a_query_do_not_depend_on_other_queries(self, scorer, queries) -> None:
        together = scorer.score(queries)
        for row in range(len(queries)):
            alone = scorer.score(queries.slice(row, row + 1))
            np.testing.assert_allclose(alone[0], together[row], rtol=1e-4, atol=1e-5)

    def test_the_second_call_answers_as_the_first(self, scorer, queries) -> None:
        np.testing.assert_array_equal(scorer.score(queries), scorer.score(queries))

    def test_targets_are_not_read(self, scorer, queries) -> None:
        width = scorer.score(queries).shape[1]
        other = replace(queries, target_rows=(queries.target_rows + 1) % np.int32(width))
        np.testing.assert_array_equal(scorer.score(queries), scorer.score(other))

    def test_it_can_be_evaluated(self, scorer, queries) -> None:
        width = scorer.score(queries).shape[1]
        every = np.ones(width, np.bool_)
        result = evaluate_queries(
            scorer,
            queries,
            candidates=every,
            item_counts=np.ones(width, np.int64),
            ks=(1, width),
        )
        assert result.name == scorer.name
        reachable = 1 - result.counts["unreachable_targets"] / result.counts["targets"]
        assert (
            result.figures[f"hr@{width}"] <= reachable + 1e-9
            or not (np.diff(queries.target_offsets) == 1).all()
        )
