"""The exact index keeps the contract, and its rounding does not decide anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from recsys.ids import Vectors
from recsys.index import ExactConfig, ExactIndex, Index, RowSet, build_index, exact, proposing
from tests.contracts.index_contract import IndexContract, assert_same, by_hand, made_vectors


class TestExactIndex(IndexContract):
    @classmethod
    def build(cls, vectors: Vectors) -> Index:
        return build_index(vectors, ExactConfig())


class TestMatrixProduct(TestExactIndex):
    """The same answers where every batch is large enough for a matrix product."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _always(cls) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(exact, "_FEW_QUERIES", 0)
            patch.setattr(exact, "_FEW_NUMBERS", 0)
            yield


@pytest.mark.parametrize("k", [1, 7, 300, 400])
def test_large_batches_are_answered_in_parts_and_tiles(
    monkeypatch: pytest.MonkeyPatch, k: int
) -> None:
    vectors, queries = made_vectors(5_000, seed=1), made_vectors(50, seed=2)
    rng = np.random.default_rng(3)
    excluded = [rng.integers(0, 5_000, size) for size in rng.integers(0, 300, len(queries))]
    allowed = RowSet.of_mask(rng.random(5_000) < 0.9)
    index = ExactIndex.of(vectors)
    whole = index.search(queries, k, exclude=excluded, allowed=allowed)
    monkeypatch.setattr(exact, "_QUERIES_AT_ONCE", 7)
    monkeypatch.setattr(proposing, "_TILE", 7 * 130)
    assert_same(index.search(queries, k, exclude=excluded, allowed=allowed), whole)
    for query in (0, 7, 49):
        eligible = np.setdiff1d(allowed.rows, excluded[query])
        assert whole.at(query)[0].tolist() == list(by_hand(vectors, queries[query], k, eligible))


def test_scores_too_close_to_call_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row is as good as every other, and the lowest ones win."""
    waiting = []

    def called(*arguments: Any) -> Any:
        waiting.append(len(arguments[1]))
        return rank(*arguments)

    rank = proposing.rank
    monkeypatch.setattr(proposing, "rank", called)
    index = ExactIndex.of(np.ones((200_000, 4), np.float32))
    hits = index.search(np.array([[0, 0, 0, 0], [1, 2, 3, 4]] * 40, np.float32), 3)
    assert (hits.rows == [0, 1, 2]).all() and set(hits.scores.ravel()) == {0.0, 10.0}
    assert 0 < max(waiting) < 20_000


@pytest.mark.parametrize("scale", [1e-18, 1.0, 1e8, 1e17])
def test_scores_closer_than_rounding_are_ordered_rightly(scale: float) -> None:
    """Vectors that differ in their last bit: a float32 product mixes up their order."""
    rng = np.random.default_rng(3)
    base = rng.standard_normal(64).astype(np.float32)
    vectors = np.tile(base, (500, 1))
    vectors = np.nextafter(vectors, rng.choice([-9, 9], vectors.shape).astype(np.float32))
    vectors *= np.float32(scale)
    query = rng.standard_normal((1, 64)).astype(np.float32)
    hits = ExactIndex.of(vectors).search(query, 10)
    np.testing.assert_array_equal(hits.rows[0], by_hand(vectors, query[0], 10, np.arange(500)))


def test_orthogonal_vectors_tie_at_zero_by_row() -> None:
    vectors = np.zeros((6, 2), np.float32)
    vectors[:, 0] = [0.0, -0.0, 1.0, 0.0, -1.0, -0.0]
    hits = ExactIndex.of(vectors).search(np.array([[1, 0]], np.float32), 6)
    assert hits.rows[0].tolist() == [2, 0, 1, 3, 5, 4]
