"""Compiled loops: the same bits in every loop, and no need of a cache."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest

from recsys.index import ExactIndex, RowSet, kernels
from recsys.index.scoring import exact_scores, rank
from tests.contracts.index_contract import made_vectors


def test_loops_are_compiled_where_no_cache_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    njit = numba.njit

    def refuse(*arguments: Any, cache: bool = False, **options: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(*arguments, **options)

    monkeypatch.setattr(numba, "njit", refuse)
    add = kernels.compiled(kernels.I8(kernels.I8))(lambda number: number + 1)
    assert add(1) == 2


@pytest.mark.parametrize("dimension", [1, 7, 12, 64, 100])
def test_a_row_has_the_same_score_in_every_loop(dimension: int) -> None:
    vectors = made_vectors(3_000, seed=1, dimension=dimension)
    queries = made_vectors(9, seed=2, dimension=dimension)
    index, few = ExactIndex.of(vectors), RowSet.of_rows(range(0, 3_000, 7), 3_000)
    batch, part = index.search(queries, 3_000), index.search(queries[:2], 3_000, allowed=few)
    for query in range(9):
        scores = exact_scores(vectors, np.arange(3_000), queries[query])
        np.testing.assert_array_equal(scores[batch.rows[query]], batch.scores[query])
        np.testing.assert_array_equal(
            rank(vectors, few.rows, queries[query], 9)[1], np.sort(scores[few.rows])[::-1][:9]
        )
        if query < 2:
            rows, found = part.at(query)
            np.testing.assert_array_equal(scores[rows], found)


def test_ranked_rows_may_be_read_only_and_do_not_change() -> None:
    rows = np.array([2, 0, 1], np.int32)
    rows.flags.writeable = False
    best, scores = rank(np.eye(3, dtype=np.float32), rows, np.array([0, 3, 1], np.float32), 2)
    assert best.tolist() == [1, 2] and scores.tolist() == [3, 1] and rows.tolist() == [2, 0, 1]
