"""The recall of a tuned index holds for every k, filter and exclusion, and no answer is short."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.ids import Vectors
from recsys.index import Index, RowSet, ScannConfig, build_index
from recsys.index.recall import recall_of
from tests.contracts.index_contract import assert_same

ITEMS, DIMENSION, CLUSTERS, TARGET = 20_000, 24, 60, 0.9
TOLERANCE = 0.03
"""Allowance for a sample of 200 queries, of which the recall of k = 1 has an error of 0.02."""
KS = (1, 10, 100)


def _around(labels: np.ndarray, seed: int) -> Vectors:
    """Unit vectors around the centre of each one's cluster."""
    centres = np.random.default_rng(0).standard_normal((CLUSTERS, DIMENSION))
    noise = np.random.default_rng(seed).standard_normal((len(labels), DIMENSION))
    vectors = centres[labels] / np.linalg.norm(centres[labels], axis=1, keepdims=True)
    vectors += 0.8 * noise / np.sqrt(DIMENSION)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    weights = 1 / np.arange(1, CLUSTERS + 1)
    return np.random.default_rng(1).choice(CLUSTERS, ITEMS, p=weights / weights.sum())


@pytest.fixture(scope="module")
def vectors(labels: np.ndarray) -> Vectors:
    return _around(labels, 2)


@pytest.fixture(scope="module")
def queries() -> Vectors:
    return _around(np.random.default_rng(3).integers(CLUSTERS, size=200), 4)


@pytest.fixture(scope="module")
def index(vectors: Vectors) -> Index:
    tuning = _around(np.random.default_rng(5).integers(CLUSTERS, size=400), 6)
    config = ScannConfig(target_recall=TARGET, tuning_queries=400)
    return build_index(vectors, config, queries=tuning)


def check(index: Index, queries: Vectors, allowed: RowSet) -> None:
    for k in KS:
        hits = index.search(queries, k, allowed=allowed)
        truth = index.exact.search(queries, k, allowed=allowed)
        np.testing.assert_array_equal(hits.valid, truth.valid)
        assert allowed.mask[hits.rows[hits.valid]].all()
        assert recall_of(hits, truth) >= TARGET - TOLERANCE, k
        assert set(hits.work.eligible.tolist()) == {len(allowed)}


@pytest.mark.parametrize("share", [0.0001, 0.001, 0.01, 0.1, 0.5])
def test_random_rows(index: Index, queries: Vectors, share: float) -> None:
    check(index, queries, RowSet.of_mask(np.random.default_rng(7).random(ITEMS) < share))


@pytest.mark.parametrize("share", [0.03, 0.1, 0.5])
def test_whole_clusters(index: Index, queries: Vectors, labels: np.ndarray, share: float) -> None:
    chosen = np.random.default_rng(8).choice(CLUSTERS, int(share * CLUSTERS) + 1, replace=False)
    clusters = RowSet.of_mask(np.isin(labels, chosen))
    check(index, queries, clusters)
    check(index, queries, clusters & RowSet.of_rows(range(0, ITEMS, 2), ITEMS))


def test_the_half_that_is_farthest(index: Index, vectors: Vectors, queries: Vectors) -> None:
    scores = vectors @ queries[0]
    near = queries[queries @ queries[0] > 0.2]
    check(index, near, RowSet.of_mask(scores < np.median(scores)))


@pytest.mark.parametrize("excluded", [1, 10, 100, 1_000])
def test_the_nearest_rows_excluded(index: Index, queries: Vectors, excluded: int) -> None:
    nearest = index.exact.search(queries, excluded).rows
    for k in KS:
        hits = index.search(queries, k, exclude=nearest)
        truth = index.exact.search(queries, k, exclude=nearest)
        assert hits.valid.all()
        assert not any(np.isin(*pair).any() for pair in zip(hits.rows, nearest))
        assert recall_of(hits, truth) >= TARGET - TOLERANCE, k


def test_a_filter_and_exclusions_answer_alone_as_in_a_batch(index: Index, queries: Vectors) -> None:
    allowed = RowSet.of_rows(range(0, ITEMS, 5), ITEMS)
    exclude = [rows[: 3 * query] for query, rows in enumerate(index.exact.search(queries, 99).rows)]
    for arguments in ({"allowed": allowed}, {}):
        batch = index.search(queries, 10, exclude=exclude, **arguments)
        for query in range(0, len(queries), 20):
            part = slice(query, query + 1)
            alone = index.search(queries[part], 10, exclude=exclude[part], **arguments)
            np.testing.assert_array_equal(alone.rows[0], batch.rows[query])
            np.testing.assert_array_equal(alone.scores[0], batch.scores[query])
            assert alone.work.at(0) == batch.work.at(query)


def test_more_effort_reads_more_and_finds_more(index: Index, queries: Vectors) -> None:
    allowed = RowSet.of_rows(range(0, ITEMS, 3), ITEMS)
    truth = index.exact.search(queries, 10, allowed=allowed)
    answers = [
        index.search(queries, 10, allowed=allowed, effort=effort) for effort in (0.1, 1.0, 10.0)
    ]
    reads = [hits.work.read.mean() for hits in answers]
    recalls = [recall_of(hits, truth) for hits in answers]
    assert reads == sorted(reads) and reads[0] < reads[-1]
    assert recalls == sorted(recalls) and recalls[-1] > 0.98


def test_few_eligible_rows_are_all_compared(index: Index, queries: Vectors) -> None:
    allowed = RowSet.of_rows(range(100), ITEMS)
    hits = index.search(queries, 10, allowed=allowed)
    assert hits.work.at(0).plan == "exact" and hits.work.at(0).read == 100
    assert_same(hits, index.exact.search(queries, 10, allowed=allowed))
