"""The exact index keeps the contract, and its rounding does not decide anything."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.ids import Vectors
from recsys.index import ExactConfig, ExactIndex, Index, build_index, exact
from tests.contracts.index_contract import IndexContract, assert_same, by_hand, made_vectors


class TestExactIndex(IndexContract):
    @classmethod
    def build(cls, vectors: Vectors) -> Index:
        return build_index(vectors, ExactConfig())


def test_large_batches_are_answered_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    index, queries = ExactIndex.of(made_vectors(300, seed=1)), made_vectors(10, seed=2)
    whole = index.search(queries, 7)
    monkeypatch.setattr(exact, "_PRODUCTS_AT_ONCE", 700)
    assert_same(index.search(queries, 7), whole)


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
