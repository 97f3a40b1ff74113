"""Pair networks as scorers of retrieved items."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from recsys.features import FeatureBlock
from recsys.ids import IdMap
from recsys.ranking import (
    Bags,
    PairContext,
    Scorer,
    SparseNetworkScorer,
    SparsePairConfig,
    SparsePairNetwork,
    VectorNetworkScorer,
    VectorPairConfig,
    VectorPairNetwork,
    load_scorer,
    probability,
)
from recsys.ranking.head import PairHead
from recsys.ranking.inputs import FeatureTable
from tests.ranking.ranker_worlds import ITEMS, unit_vectors

D = 4
RNG = np.random.default_rng(3)
VECTORS = unit_vectors(ITEMS, D, seed=4)
ROWS = np.array([3, 9, 27], np.int32)
TABLE = FeatureTable((), np.zeros((3, 0), np.float32), ROWS, VECTORS[ROWS])
HISTORY = np.array([5, 1, 8], np.int32)
CONTEXT = PairContext(HISTORY, terms="red lamp", history_vectors=VECTORS[HISTORY])


def drawn(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


HEAD = PairHead(((drawn(4 * D, 8), drawn(8)), (drawn(8, 1), drawn(1))))
SPARSE = SparsePairNetwork(
    SparsePairConfig(dimension=D, hidden=(8,)),
    IdMap.of("item", [f"i{row}" for row in range(ITEMS)]),
    IdMap.of("word", ["lamp", "red"]),
    warm=np.ones(ITEMS, np.bool_),
    item_vectors=drawn(ITEMS, D),
    word_vectors=drawn(2, D),
    mix=drawn(D, D),
    bias=drawn(ITEMS),
    head=HEAD,
)
VECTOR = VectorPairNetwork(VectorPairConfig(window=2, hidden=(8,)), drawn(D), 1.5, HEAD)


def saved(scorer: Scorer, folder: Path) -> Scorer:
    scorer.save(folder)
    return load_scorer(folder)


def test_the_sparse_network_gives_its_own_probabilities(tmp_path: Path) -> None:
    histories, searched = Bags.of([HISTORY] * 3), Bags.of([[1, 0]] * 3)
    expected = SPARSE.probability(histories, searched, ROWS)
    scores = saved(SparseNetworkScorer(SPARSE), tmp_path).score(TABLE, CONTEXT)
    np.testing.assert_allclose(probability(scores), expected, rtol=1e-5)


def test_the_vector_network_gives_its_own_probabilities(tmp_path: Path) -> None:
    block = FeatureBlock(VECTORS, np.ones(ITEMS, np.bool_), "two_tower")
    expected = VECTOR.probability(block, Bags.of([HISTORY] * 3), ROWS)
    scores = saved(VectorNetworkScorer(VECTOR), tmp_path).score(TABLE, CONTEXT)
    np.testing.assert_allclose(probability(scores), expected, rtol=1e-5)


def test_an_empty_request_is_scored() -> None:
    empty = replace(CONTEXT, history=HISTORY[:0], terms="", history_vectors=VECTORS[:0])
    later = replace(TABLE, rows=ROWS + ITEMS)
    for scorer in (SparseNetworkScorer(SPARSE), VectorNetworkScorer(VECTOR)):
        assert np.isfinite(scorer.score(later, empty)).all()
        assert not any(scorer.explain(TABLE, empty, 0).values())
        assert any(scorer.explain(TABLE, CONTEXT, 0).values())
