"""The benchmark of the index: data, exact answers, filters, tuned parameters and figures."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.index.data import datasets
from benchmarks.index.data.datasets import MIXTURES, DataSet, synthetic
from benchmarks.index.data.filter_sets import filters
from benchmarks.index.data.truth import exact_answers, recalls
from benchmarks.index.figures import figures_of
from benchmarks.index.measures.churn_truth import Changes, Read
from benchmarks.index.peers.search_tuning import smallest

ITEMS = 2_000


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "TUNING", 20)
        patch.setattr(datasets, "QUERIES", 40)
        return synthetic("clustered", ITEMS, tmp_path_factory.mktemp("data"))


def test_the_stored_answers_are_exact_and_the_vectors_have_length_one(data: DataSet) -> None:
    assert np.allclose(np.linalg.norm(data.items, axis=1), 1, atol=1e-5)
    for name in ("tuning", "queries"):
        queries, answers = data.array(name), data.answers(name)
        order = np.argsort(-(queries @ data.items.T), axis=1, kind="stable")
        assert np.mean(order[:, :10] == answers.rows[:, :10]) > 0.99
    sizes = np.sort(np.bincount(data.clusters))[::-1]
    assert sizes[:4].sum() > ITEMS / 3  # a power law
    assert len(MIXTURES["noisy"](ITEMS, np.random.default_rng(1)).centres) == ITEMS // 50


def test_recall_counts_ties_and_few_eligible_rows_and_no_row_twice() -> None:
    items, queries = np.eye(3, dtype=np.float32)[[0, 0, 1]], np.eye(3, dtype=np.float32)[:1]
    truth = exact_answers(items, queries, 1)
    assert recalls(items, queries, np.array([[1]], np.int32), truth, 1).tolist() == [1]
    two = exact_answers(items, queries, 2)
    assert recalls(items, queries, np.array([[0, 0]], np.int32), two, 2).tolist() == [0.5]
    few = exact_answers(items, queries, 2, eligible=np.array([2], np.int32))
    assert few.rows.tolist() == [[2, -1]]
    assert recalls(items, queries, np.array([[-1, -1]], np.int32), few, 2).tolist() == [0]
    assert recalls(items, queries, np.array([[2, -1]], np.int32), few, 2).tolist() == [1]


def test_the_filters_have_their_shares_and_the_farthest_half_is_far(data: DataSet) -> None:
    sets = dict(filters(data, 40))
    shares = {name: len(parts[0].eligible) / ITEMS for name, parts in sets.items()}
    for name, share in (("random 10%", 0.1), ("random 50%", 0.5), ("clusters 10%", 0.1)):
        assert shares[name] == pytest.approx(share, abs=0.03)
    queries = data.array("queries")
    for part in sets["farthest half"]:
        nearest = data.answers("queries").rows[part.queries[0], :10]
        assert not part.eligible.mask[nearest].any()
        assert (queries[part.queries] @ queries[part.queries[0]]).min() > -1


def test_the_smallest_value_that_reaches_is_found_or_none() -> None:
    assert smallest(lambda value: value >= 37, 1_000) == 37
    assert smallest(lambda value: value >= 1, 1_000) == 1
    assert smallest(lambda value: value >= 1_001, 1_000) is None


def test_wrong_rows_of_a_changing_index_are_counted() -> None:
    items = np.eye(4, dtype=np.float32)
    mixture = MIXTURES["clustered"](64, np.random.default_rng(1))
    changes = Changes.drawn(4, 4, 2, mixture)
    changes = Changes(
        np.array([0, 1, 2, 4], np.int32),
        np.full((4, 4), 0.5, np.float32),
        np.array([False, False, True, False]),
        np.array([1, 1, 2, 3]),
        items=4,
        batch=2,
    )
    queries = np.ones((1, 4), np.float32)

    def wrong(version: int, row: int, score: float) -> int:
        read = Read(version, 0, np.array([row], np.int32), np.array([score], np.float32), 0.0)
        return changes.wrong_rows(items, queries, [read])

    assert wrong(0, 0, 1.0) == 0 and wrong(0, 0, 2.0) == 1  # its vector is replaced later
    assert wrong(1, 0, 2.0) == 0 and wrong(1, 0, 1.0) == 1
    assert wrong(1, 2, 1.0) == 0 and wrong(2, 2, 1.0) == 1  # deleted by then
    assert wrong(2, 4, 2.0) == 1 and wrong(3, 4, 2.0) == 0  # not there before
    best = Read(3, 0, np.array([0], np.int32), np.array([2.0], np.float32), 0.0)
    assert changes.recalls(items, queries, [best], 1).tolist() == [1]


def test_the_figures_are_the_worst_of_all_cells() -> None:
    def compared(rate: float) -> dict[str, object]:
        ours = {"batched_qps": rate, "single_qps": rate}
        target = {"ours": ours, "hnswlib": {"batched_qps": 2.0, "single_qps": 1.0}}
        built = {"build_seconds": rate, "memory_bytes": 10, "vectors_bytes": 20}
        builds = {"ours 0.95": built, "hnswlib": {"build_seconds": 10.0}}
        targets = dict.fromkeys(("r95", "r99", "r99k100"), target)
        return {"rows": 10, "builds": builds, "targets": targets}

    cell = {"recall": 0.9, "p50_ratio": 1.2}
    sections = {
        "speed": {"a-1000000": compared(4.0), "b-1000000": compared(3.0), "c": compared(0.0)},
        "filters": {"a": {"ours 0.95": {"x, 10": cell}, "peers": {"date": "today"}}},
        "exclusions": {"a, ours 0.99": {"x, 10": cell, "date": "today"}},
        "churn": {"wrong_rows": 0, "p99_ratio": 1.5},
        "exact": {"exact": 1.0, "numpy": 2.0},
    }
    figures = figures_of(sections)
    assert figures["qps_over_best_peer.1m.r99"] == 1.5
    assert figures["single_over_best_peer.1m.r95"] == 3
    assert figures["build_over_hnswlib.1m"] == 0.4
    assert figures["filter.worst_recall_gap"] == pytest.approx(0.05)
    assert figures["exclude.worst_recall_gap"] == pytest.approx(0.09)
    assert figures["bytes_per_item"] == 3
    assert len(figures) == 12
