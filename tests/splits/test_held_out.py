"""HeldOutQueries as a container."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.splits import HeldOutQueries

QUERIES = HeldOutQueries.of(
    user=[3, 1, 2],
    histories=[[5, 6], [], [7, 5, 6]],
    targets=[[1], [2, 3], [4]],
    terms=[1, 0, 0],
    phrases=("", "lamp"),
)


def as_lists(queries: HeldOutQueries) -> list[tuple[int, list[int], list[int]]]:
    return [
        (int(queries.user[i]), queries.history(i).tolist(), queries.targets(i).tolist())
        for i in range(len(queries))
    ]


def test_take_and_slice_keep_each_query_whole() -> None:
    every = as_lists(QUERIES)
    assert as_lists(QUERIES.take(np.array([True, False, True]))) == [every[0], every[2]]
    assert as_lists(QUERIES.slice(1, 9)) == every[1:]
    assert as_lists(QUERIES.at(np.array([2, 0, 0]))) == [every[2], every[0], every[0]]
    assert len(QUERIES.slice(3, 3)) == 0


def test_history_rows_are_the_histories_of_all_queries() -> None:
    part = QUERIES.at(np.array([2, 1, 0]))
    assert part.history_offsets.tolist() == [0, 3, 3, 5]
    assert part.history_rows.tolist() == [7, 5, 6, 5, 6]
    assert [rows.tolist() for rows in part.histories()] == [[7, 5, 6], [], [5, 6]]


def test_lists_of_different_lengths_and_queries_without_a_target_are_refused() -> None:
    with pytest.raises(DataError, match="1 users, 2 histories and 1 targets"):
        HeldOutQueries.of(user=[0], histories=[[], []], targets=[[1]])
    with pytest.raises(DataError, match="at least one target"):
        HeldOutQueries.of(user=[0], histories=[[]], targets=[[]])
