"""A built index finds the target share at every k, for every kind of query."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.errors import ConfigError
from recsys.ids import Rows, Vectors
from recsys.index import ExactIndex, ScannConfig, build_index
from recsys.index.building import trials
from recsys.index.building.trials import choose
from recsys.index.recall import recalls
from recsys.index.scann.index import LeafSearch, ScannIndex
from tests.contracts.index_contract import made_vectors

ITEMS, TARGET = 3_000, 0.9
CONFIG = ScannConfig(target_recall=TARGET)


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return made_vectors(ITEMS, seed=1, dimension=16)


@pytest.fixture(scope="module")
def kinds(vectors: Vectors) -> dict[str, Vectors]:
    """Queries near items, and queries between items, which lie in no cluster."""
    rng = np.random.default_rng(2)
    means = vectors[rng.integers(ITEMS, size=(600, 5))].mean(axis=1)
    return {"near": made_vectors(600, seed=3, dimension=16), "between": means.astype(np.float32)}


@pytest.fixture(scope="module")
def index(vectors: Vectors, kinds: dict[str, Vectors]) -> ScannIndex:
    built = build_index(vectors, CONFIG, queries=of_tuning(kinds))
    assert isinstance(built, ScannIndex)
    return built


def of_tuning(kinds: dict[str, Vectors]) -> dict[str, Vectors]:
    return {kind: queries[::2] for kind, queries in kinds.items()}


def parts(index: ScannIndex) -> LeafSearch:
    assert index.leaves is not None
    return index.leaves


def share(index: ScannIndex, queries: Vectors, truth: Rows, k: int) -> float:
    """Share of ``truth`` among the candidates of a search whose top ranks are excluded."""
    setting = parts(index).curve.setting(k, tail=True)
    candidates = parts(index).searcher.propose(queries, setting.leaves, setting.depth)
    pairs = zip(candidates, truth)
    return float(np.mean([np.isin(expected, rows).mean() for rows, expected in pairs]))


@pytest.mark.parametrize("k", [1, 3, 10, 30, 100])
def test_recall_holds_on_other_queries_at_every_k(
    index: ScannIndex, vectors: Vectors, kinds: dict[str, Vectors], k: int
) -> None:
    for queries in (queries[1::2] for queries in kinds.values()):
        truth = ExactIndex.of(vectors).search(queries, k)
        assert recalls(index.search(queries, k), truth).mean() >= TARGET - 0.01
        assert share(index, queries, truth.rows[:, k // 2 :], k) >= TARGET - 0.01


def test_points_rise_in_duration_and_recall(index: ScannIndex) -> None:
    curve = parts(index).curve
    assert [cutoff.rank for cutoff in curve.plain] == [1, 3, 10, 30, 100, 300]
    for cutoff in (*curve.plain, *curve.tail):
        assert [p.seconds for p in cutoff.points] == sorted(p.seconds for p in cutoff.points)
        assert [p.recall for p in cutoff.points] == sorted(p.recall for p in cutoff.points)
        assert cutoff.tuned_point.recall >= TARGET - 0.005


def test_the_same_data_give_the_same_settings(
    index: ScannIndex, vectors: Vectors, kinds: dict[str, Vectors]
) -> None:
    again = build_index(vectors, CONFIG, queries=of_tuning(kinds))
    assert again.facts == index.facts


def test_copies_of_a_vector_do_not_lower_the_recall() -> None:
    copies = np.repeat(made_vectors(100, seed=4), 30, axis=0)
    index = build_index(copies, ScannConfig(target_recall=0.95, tuning_queries=50))
    truth = ExactIndex.of(copies).search(copies[::100], 10)
    assert recalls(index.search(copies[::100], 10), truth).mean() >= 0.94
    assert isinstance(index, ScannIndex) and parts(index).curve.setting(10).depth < 1_000


def test_few_queries_do_not_lead_to_a_search_of_everything(vectors: Vectors) -> None:
    index = build_index(vectors, ScannConfig(target_recall=0.99), queries=vectors[:40])
    assert isinstance(index, ScannIndex)
    assert parts(index).curve.setting(1).depth < 100


def test_leaves_are_tried_within_the_budget(
    vectors: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "_FROM", 1_000)
    monkeypatch.setattr(trials, "_SHARE", 4)
    config = ScannConfig(target_recall=0.8, tuning_queries=20)
    chosen, tried = choose(vectors, config, None)
    assert chosen.leaves in [trial.leaves for trial in tried if trial.seconds is not None]
    none, untried = choose(vectors, config.model_copy(update={"build_seconds": 0.1}), None)
    assert none.leaves == 54 and [trial.seconds for trial in untried] == [None] * 3


def test_queries_of_another_dimension_are_an_error(vectors: Vectors) -> None:
    with pytest.raises(ConfigError, match=r"kind 'users' must have the shape \[q, 16\]; got"):
        build_index(vectors, CONFIG, queries={"users": vectors[:5, :3]})
