"""ScaNN keeps the contract when it looks at everything, when it is tuned, and when it is tiny."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import ConfigError, DataError
from recsys.ids import Vectors
from recsys.index import (
    ExactIndex,
    Index,
    RowSet,
    ScannConfig,
    ann_recall,
    build_index,
    load_index,
)
from recsys.index.scann import ScannIndex
from tests.contracts.index_contract import IndexContract, assert_same, made_vectors


class TestScannWithEveryLeaf(IndexContract):
    @classmethod
    def build(cls, vectors: Vectors) -> Index:
        return build_index(vectors, ScannConfig(leaves_to_search="all"))


class TestScannTuned(IndexContract):
    thorough = False

    @classmethod
    def build(cls, vectors: Vectors) -> Index:
        return build_index(vectors, ScannConfig(target_recall=0.9, tuning_queries=50))


class TestScannWithOneLeaf(IndexContract):
    """Hardly any row is looked at, so every promise has to be kept by looking further."""

    thorough = False

    @classmethod
    def build(cls, vectors: Vectors) -> Index:
        return build_index(vectors, ScannConfig(leaves_to_search=1, reorder=1, num_leaves=100))


class TestScannOnASmallTable(IndexContract):
    @classmethod
    def build(cls, vectors: Vectors) -> Index:
        return build_index(vectors, ScannConfig(brute_force_below=2_000))


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return made_vectors(4_000, seed=11, dimension=16)


@pytest.fixture(scope="module")
def queries() -> Vectors:
    return made_vectors(200, seed=12, dimension=16)


@pytest.mark.parametrize("target", [0.8, 0.99])
def test_tuning_reaches_the_target_on_its_queries(
    vectors: Vectors, queries: Vectors, target: float
) -> None:
    index = build_index(vectors, ScannConfig(target_recall=target), queries=queries)
    exact = ExactIndex.of(vectors)
    assert ann_recall(index, exact, queries, 100) >= target
    tuned = index.facts["tuned"]
    assert tuned["k"] == 100 and tuned["queries"] == 200 and tuned["source"] == "queries"
    assert tuned["recall"] == ann_recall(index, exact, queries, 100)


def test_without_a_single_query_the_vectors_are_tuned_on(vectors: Vectors) -> None:
    index = build_index(vectors, ScannConfig(tuning_queries=20), queries=vectors[:0])
    assert index.facts["tuned"]["source"] == "vectors" and index.facts["tuned"]["queries"] == 20
    assert index.facts["tuned"]["recall"] >= 0.99


def test_a_higher_target_searches_more_leaves(vectors: Vectors, queries: Vectors) -> None:
    low, high = (
        build_index(vectors, ScannConfig(target_recall=target), queries=queries).facts
        for target in (0.7, 0.99)
    )
    assert low["leaves_to_search"] < high["leaves_to_search"] <= high["num_leaves"] == 63


def test_every_target_can_be_reached(vectors: Vectors, queries: Vectors) -> None:
    index = build_index(vectors, ScannConfig(target_recall=1.0), queries=queries)
    assert index.facts["tuned"]["recall"] == 1.0


def test_numbers_given_are_kept(vectors: Vectors) -> None:
    config = ScannConfig(num_leaves=20, leaves_to_search=3, reorder=150)
    facts = build_index(vectors, config).facts
    assert facts == {"num_leaves": 20, "leaves_to_search": 3, "reorder": 150, "tuned": None}


def test_a_target_out_of_reach_of_the_numbers_given_is_an_error(
    vectors: Vectors, queries: Vectors
) -> None:
    config = ScannConfig(leaves_to_search=1, target_recall=0.99)
    with pytest.raises(ConfigError, match=r"the target of 0\.99, with leaves_to_search=1 and"):
        build_index(vectors, config, queries=queries)


def test_wrong_numbers_for_the_table_are_an_error(vectors: Vectors) -> None:
    with pytest.raises(ConfigError, match="num_leaves must not be above .* 4000; got 5000"):
        build_index(vectors, ScannConfig(num_leaves=5_000))
    with pytest.raises(ConfigError, match="dimensions_per_block must not be above .* 16; got 17"):
        build_index(vectors, ScannConfig(dimensions_per_block=17))


def test_recall_of_an_untuned_search_is_measured_not_assumed(
    vectors: Vectors, queries: Vectors
) -> None:
    index = build_index(vectors, ScannConfig(leaves_to_search=2, reorder=100))
    assert 0.1 < ann_recall(index, ExactIndex.of(vectors), queries, 100) < 0.9


def test_the_real_scann_answers_and_not_the_exact_search(
    queries: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = made_vectors(6_000, seed=11, dimension=16)
    index = build_index(vectors, ScannConfig(leaves_to_search="all"))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("fell back to the exact search")

    monkeypatch.setattr(ExactIndex, "_search", refuse)
    exclude = [np.arange(60)] * len(queries)
    hits = index.search(
        queries, 100, exclude=exclude, allowed=RowSet.of_mask(np.arange(6_000) != 3)
    )
    assert hits.valid.all()


def test_padding_of_scann_is_dropped(vectors: Vectors) -> None:
    """The trap itself: ScaNN fills a short batched result with row 0 and NaN."""
    index = build_index(vectors, ScannConfig(leaves_to_search=1, reorder=1, num_leaves=400))
    assert isinstance(index, ScannIndex)
    rows, scores = index.searcher.search_batched(
        vectors[:1], final_num_neighbors=900, leaves_to_search=1
    )
    assert np.isnan(scores).any() and (rows[np.isnan(scores)] == 0).all()
    found, _ = index._fetch(vectors[:1], 900, 1)[0]
    assert 0 < len(found) < 900 and len(set(found.tolist())) == len(found)
    assert index.search(vectors[:1], 900).valid.all()


def test_ids_never_reach_scann(vectors: Vectors) -> None:
    index = build_index(vectors, ScannConfig(leaves_to_search=1, reorder=1))
    assert isinstance(index, ScannIndex) and index.searcher.docids is None


def test_a_pickle_next_to_the_assets_is_refused_unopened(vectors: Vectors, tmp_path: Path) -> None:
    build_index(vectors, ScannConfig(leaves_to_search=1, reorder=1)).save(tmp_path)
    (tmp_path / "scann" / "scann_docids.pkl").write_bytes(b"whatever")
    with pytest.raises(DataError, match=r"holds a pickle, scann_docids\.pkl, which is never"):
        load_index(tmp_path, vectors)


def test_assets_elsewhere_are_refused(vectors: Vectors, tmp_path: Path) -> None:
    build_index(vectors, ScannConfig(leaves_to_search=1, reorder=1)).save(tmp_path)
    assets = tmp_path / "scann" / "scann_assets.pbtxt"
    assets.write_text(assets.read_text().replace('"dataset.npy"', '"/tmp/dataset.npy"'))
    with pytest.raises(DataError, match="names a file '/tmp/dataset.npy' that is not in it"):
        load_index(tmp_path, vectors)


@pytest.mark.parametrize("name", ["scann_assets.pbtxt", "ah_codebook.pb", "dataset.npy"])
def test_missing_assets_are_named(vectors: Vectors, tmp_path: Path, name: str) -> None:
    build_index(vectors, ScannConfig(leaves_to_search=1, reorder=1)).save(tmp_path)
    (tmp_path / "scann" / name).unlink()
    with pytest.raises(DataError, match=name):
        load_index(tmp_path, vectors)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not an index description of format version 1"),
        ('{"format_version": 2}', "format_version"),
    ],
)
def test_a_damaged_description_is_refused(
    vectors: Vectors, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(DataError, match=message):
        load_index(tmp_path, vectors)


def test_a_folder_without_a_description_is_refused(vectors: Vectors, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*index\.json"):
        load_index(tmp_path, vectors)


@pytest.mark.parametrize("dimension", [1, 3, 5])
def test_odd_dimensions(dimension: int) -> None:
    vectors = made_vectors(1_200, seed=13, dimension=dimension)
    config = ScannConfig(leaves_to_search="all", dimensions_per_block=1)
    hits = build_index(vectors, config).search(vectors[:3], 9)
    assert_same(hits, ExactIndex.of(vectors).search(vectors[:3], 9))


def test_vectors_of_zero_length_only() -> None:
    vectors = np.zeros((1_200, 4), np.float32)
    hits = build_index(vectors, ScannConfig()).search(vectors[:1], 5)
    assert hits.rows[0].tolist() == [0, 1, 2, 3, 4]


def test_importing_the_package_loads_neither_scann_nor_tensorflow() -> None:
    code = (
        "import sys, recsys.index; print([n for n in ('scann', 'tensorflow') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_configurations_round_trip() -> None:
    config = ScannConfig(num_leaves=7, leaves_to_search="all", reorder=9)
    assert ScannConfig.model_validate_json(config.model_dump_json()) == config
