"""Rankings: order, ties and masks, compared with a slow reference."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.evaluation.ranking import mask_scores, rank, target_hits
from recsys.splits import HeldOutQueries

NO = -np.inf


def ranked(scores: list[list[float]], targets: list[list[int]], depth: int):
    lengths = [len(rows) for rows in targets]
    return rank(
        np.array(scores, np.float32),
        depth,
        target_rows=np.array([row for rows in targets for row in rows], np.int32),
        target_offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
    )


def test_best_first_and_the_position_of_each_target() -> None:
    made = ranked([[0.1, 0.9, 0.5, 0.7], [4, 3, 2, 1]], [[2, 0], [0]], 3)
    assert made.rows.tolist() == [[1, 3, 2], [0, 1, 2]]
    assert made.positions.tolist() == [3, 0, 1]  # item 0 of the first query is beyond place 3
    assert made.valid.all() and not made.tied.any()


def test_equal_scores_are_listed_by_lower_row() -> None:
    made = ranked([[1, 2, 1, 2, 1]], [[0]], 4)
    assert made.rows.tolist() == [[1, 3, 0, 2]]
    assert made.tied.tolist() == [True]  # item 4 has the score of the last place, too


def test_a_target_stands_behind_all_others_with_its_score() -> None:
    assert ranked([[1, 2, 1, 2, 1]], [[0]], 5).positions.tolist() == [5]
    assert ranked([[1, 2, 1, 2, 1]], [[1]], 5).positions.tolist() == [2]
    # Two of the three that tie are targets: behind the third, in row order.
    assert ranked([[1, 2, 1, 2, 1]], [[4, 0]], 5).positions.tolist() == [5, 4]


def test_equal_scores_find_no_target() -> None:
    made = ranked([[0.0] * 50], [[0]], 10)
    assert made.rows.tolist() == [list(range(10))] and made.positions.tolist() == [0]


def test_minus_infinity_is_never_listed_nor_found() -> None:
    made = ranked([[NO, 1, NO], [NO, NO, NO]], [[0, 1], [2]], 3)
    assert made.valid.tolist() == [[True, False, False], [False, False, False]]
    assert made.rows.tolist() == [[1, 0, 0], [0, 0, 0]]
    assert made.positions.tolist() == [0, 1, 0] and not made.tied.any()


@pytest.mark.parametrize("levels", [3, 12, 10_000])
def test_it_equals_a_plain_sort(levels: int) -> None:
    rng = np.random.default_rng(levels)
    for depth in (1, 7, 40, 60):
        scores = rng.integers(0, levels, (30, 40)).astype(np.float32)
        scores[rng.random(scores.shape) < 0.2] = NO
        targets = [rng.choice(40, rng.integers(1, 6), replace=False).tolist() for _ in range(30)]
        made = ranked(scores.tolist(), targets, depth)
        expected = []
        for query, row in enumerate(scores):
            shown = [i for i in np.lexsort((np.arange(40), -row)) if row[i] > NO][:depth]
            assert made.rows[query][made.valid[query]].tolist() == shown
            by_score = sorted(
                (i for i in range(40) if row[i] > NO),
                key=lambda i: (-row[i], i in targets[query], i),
            )[:depth]
            expected += [by_score.index(i) + 1 if i in by_score else 0 for i in targets[query]]
        assert made.positions.tolist() == expected


def test_hits_are_at_the_positions_of_the_targets() -> None:
    positions, offsets = np.array([2, 0, 1], np.int32), np.array([0, 2, 3])
    assert target_hits(positions, offsets, 2).tolist() == [[False, True], [True, False]]
    kept = target_hits(positions, offsets, 2, np.array([False, True, True]))
    assert kept.tolist() == [[False, False], [True, False]]


QUERIES = HeldOutQueries.of(user=[0, 1], histories=[[1, 1], []], targets=[[0], [0]])


def test_history_and_non_candidates_are_left_out_of_a_copy() -> None:
    scores = np.ones((2, 3), np.float32)
    made = mask_scores(scores, QUERIES, np.array([True, True, False]), name="any")
    assert made.tolist() == [[1, NO, NO], [1, 1, NO]]
    assert (scores == 1).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_non_finite_scores_are_refused_with_item_and_query(bad: float) -> None:
    scores = np.array([[1, 2, 3], [NO, bad, 1]], np.float32)
    with pytest.raises(DataError, match=f"'any' gave {bad} to item row 1 for query 1"):
        mask_scores(scores, QUERIES, np.ones(3, np.bool_), name="any")


def test_a_wrong_shape_is_refused_with_both_shapes() -> None:
    with pytest.raises(DataError, match=r"shape \(2, 3\).*it gave \(3, 2\)"):
        mask_scores(np.ones((3, 2), np.float32), QUERIES, np.ones(3, np.bool_), name="any")
