"""Metrics on tables worked by hand, with the arithmetic left visible."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, ndcg_score

from recsys.evaluation import metrics

# Places 1-4 of three rankings; how many targets each query has, found or not.
HITS = np.array(
    [
        [True, False, True, False],  # 3 targets: two found, at places 1 and 3
        [False, False, False, True],  # 1 target: found at place 4
        [False, False, False, False],  # 2 targets: none found
    ]
)
TARGETS = np.array([3, 1, 2])


@pytest.mark.parametrize(
    "k, expected",
    [
        (1, [1 / 3, 0 / 1, 0 / 2]),
        (3, [2 / 3, 0 / 1, 0 / 2]),
        (4, [2 / 3, 1 / 1, 0 / 2]),
        (9, [2 / 3, 1 / 1, 0 / 2]),  # fewer places than k: the rest found nothing
    ],
)
def test_recall(k: int, expected: list[float]) -> None:
    np.testing.assert_allclose(metrics.recall(HITS, TARGETS, k), expected)


@pytest.mark.parametrize("k, expected", [(1, [1, 0, 0]), (3, [1, 0, 0]), (4, [1, 1, 0])])
def test_hit_rate(k: int, expected: list[int]) -> None:
    assert metrics.hit_rate(HITS, k).tolist() == expected


@pytest.mark.parametrize(
    "k, expected",
    [
        # The best ranking of 3 targets in 1 place has 1 of them: 1 / log2(2) = 1.
        (1, [1 / 1, 0, 0]),
        # In 2 places it has 2: 1 / log2(2) + 1 / log2(3). Found: place 1 only.
        (2, [1 / (1 + 1 / log2(3)), 0, 0]),
        # In 4 places it has all 3. Found: places 1 and 3, and for the second query place 4.
        (
            4,
            [
                (1 / log2(2) + 1 / log2(4)) / (1 / log2(2) + 1 / log2(3) + 1 / log2(4)),
                (1 / log2(5)) / (1 / log2(2)),
                0,
            ],
        ),
    ],
)
def test_ndcg(k: int, expected: list[float]) -> None:
    np.testing.assert_allclose(metrics.ndcg(HITS, TARGETS, k), expected)


def test_ndcg_of_a_perfect_ranking_is_one_with_more_targets_than_positions() -> None:
    perfect = np.ones((1, 3), np.bool_)
    assert metrics.ndcg(perfect, np.array([7]), 3).tolist() == [1.0]
    assert metrics.ndcg(perfect[:, :2], np.array([2]), 3).tolist() == [1.0]


@pytest.mark.parametrize("k, expected", [(1, [1, 0, 0]), (4, [1 / 1, 1 / 4, 0])])
def test_mrr(k: int, expected: list[float]) -> None:
    assert metrics.mrr(HITS, k).tolist() == expected


@pytest.mark.parametrize(
    "k, expected",
    [
        (1, [(1 / 1) / 3, 0, 0]),
        (2, [(1 / 1) / 3, 0, 0]),
        # Targets at places 1 and 3 of three: precisions 1/1 and 2/3, the third target counts 0.
        (4, [(1 / 1 + 2 / 3) / 3, (1 / 4) / 1, 0]),
        (9, [(1 / 1 + 2 / 3) / 3, (1 / 4) / 1, 0]),
    ],
)
def test_average_precision(k: int, expected: list[float]) -> None:
    np.testing.assert_allclose(metrics.average_precision(HITS, TARGETS, k), expected)


def test_average_precision_and_ndcg_are_those_of_scikit_learn() -> None:
    # Several targets a query; of the last one every item is a target.
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20, 30))
    relevant = rng.random((20, 30)) < np.linspace(0.1, 1, 20)[:, None]
    relevant[:, 7] = True
    hits = np.take_along_axis(relevant, np.argsort(-scores, axis=1), axis=1)
    targets = relevant.sum(axis=1)
    np.testing.assert_allclose(
        metrics.average_precision(hits, targets, 30),
        [average_precision_score(*query) for query in zip(relevant, scores)],
    )
    for k in (1, 5, 10, 30):
        np.testing.assert_allclose(
            metrics.ndcg(hits, targets, k).mean(), ndcg_score(relevant, scores, k=k)
        )


def test_coverage_counts_distinct_items_in_valid_positions() -> None:
    rows = np.array([[4, 2, 0], [2, 4, 3]], np.int32)
    valid = np.array([[True, True, False], [True, True, True]])  # the 0 is no item
    assert metrics.coverage(rows, valid, 2, candidates=8) == 2 / 8  # 4, 2
    assert metrics.coverage(rows, valid, 3, candidates=8) == 3 / 8  # 4, 2, 3


def test_popularity_slices_hold_a_third_of_the_interactions_each() -> None:
    # Sorted: rows 3 (9), 0 (6), 5 (6), 1 (4), 4 (2), of 27; a third is 9.
    # They begin at 0; 9, 15; 21, 25: the thirds begin at 0, 9 and 18.
    slices = metrics.popularity_slices(np.array([6, 4, 0, 9, 2, 6]))
    named = {name: np.flatnonzero(mask).tolist() for name, mask in slices.items()}
    assert named == {"head": [3], "middle": [0, 5], "tail": [1, 4]}


def test_popularity_slices_of_nothing_are_empty() -> None:
    assert not any(mask.any() for mask in metrics.popularity_slices(np.zeros(3, int)).values())
