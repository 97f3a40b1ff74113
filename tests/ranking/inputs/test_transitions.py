"""Directed weights between items."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.ranking.inputs import Transitions
from recsys.ranking.inputs.transitions import ease, followed_by
from tests.ranking.ranker_worlds import ITEMS, chain_log

CHAIN = followed_by(chain_log(), window=3, decay=0.7, shrinkage=1.0, neighbours=9)


def dense(weights: Transitions) -> np.ndarray:
    n = len(weights)
    made = np.zeros((n, n), np.float32)
    owner = np.repeat(np.arange(n), np.diff(weights.offsets))
    made[owner, weights.items] = weights.weights
    return made


def test_followed_by_is_directed_and_counts_distances() -> None:
    log = Interactions.of(
        IdMap.of("user", ["ann", "bob"]),
        IdMap.of("item", ["a", "b", "c"]),
        user=[0, 0, 0, 1],
        item=[0, 1, 2, 0],
        time=[1, 2, 3, 4],
    )
    found = dense(followed_by(log, window=2, decay=0.5, shrinkage=0.0, neighbours=5))
    assert found.tolist() == [[0, 0.5, 0.25], [0, 0, 1], [0, 0, 0]]
    nearest = dense(followed_by(log, window=2, decay=0.5, shrinkage=0.0, neighbours=1))
    assert nearest.tolist() == [[0, 0.5, 0], [0, 0, 1], [0, 0, 0]]


def test_followed_by_backwards_and_with_weights() -> None:
    log = Interactions.of(
        IdMap.of("user", ["ann"]),
        IdMap.of("item", ["a", "b", "c"]),
        user=[0, 0, 0],
        item=[0, 1, 2],
        time=[1, 2, 3],
    )
    shared = {"window": 2, "decay": 0.5, "shrinkage": 0.0, "neighbours": 5}
    before = dense(followed_by(log, **shared, backwards=True))
    assert before.tolist() == [[0, 0, 0], [1, 0, 0], [0.5, 1, 0]]
    weights = np.array([0.5, 1, 0.25], np.float32)  # of a pair: that of its later interaction
    assert dense(followed_by(log, **shared, weights=weights))[0].tolist() == [0, 2, 0.25]


def test_ease_is_the_closed_form() -> None:
    log = chain_log()
    matrix = np.zeros((len(log.users), ITEMS))
    matrix[log.user, log.item] = 1
    inverse = np.linalg.inv(matrix.T @ matrix + 5 * np.eye(ITEMS))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    found = dense(ease(log, l2=5.0, items=ITEMS, neighbours=ITEMS))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_ease_over_no_items_has_no_weights() -> None:
    assert len(ease(chain_log(), l2=5.0, items=0, neighbours=3).items) == 0


@given(st.lists(st.integers(0, 40), max_size=8), st.lists(st.integers(0, 40), unique=True))
def test_sums_equal_a_dense_product(sources: list[int], targets: list[int]) -> None:
    weights = CHAIN
    matrix = np.zeros((41, 41), np.float32)
    matrix[:ITEMS, :ITEMS] = dense(weights)
    factors = np.linspace(0.5, 1.5, len(sources))
    rows = np.array(targets, np.int32)
    found = weights.sums(np.array(sources, np.int32), factors, rows)
    expected = factors @ matrix[sources] if sources else np.zeros(41)
    np.testing.assert_allclose(found, expected[rows], atol=1e-6)
