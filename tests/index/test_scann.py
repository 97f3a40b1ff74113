"""ScaNN keeps the contract when it looks at everything, when it is tuned, and when it is tiny."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from recsys.errors import ConfigError, DataError
from recsys.files import sha256_file, write_json
from recsys.ids import Vectors
from recsys.index import (
    ExactIndex,
    Index,
    ScannConfig,
    ann_recall,
    build_index,
    load_index,
)
from recsys.index.scann.index import ScannIndex
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


def seal(folder: Path) -> None:
    """Describe the files as they are."""
    description = json.loads((folder / "index.json").read_text())
    files = {name: sha256_file(folder / name) for name in description["files"]}
    write_json(folder / "index.json", {**description, "files": files})


@pytest.mark.parametrize("target", [0.8, 0.99])
def test_tuning_reaches_the_target_on_its_queries(
    vectors: Vectors, queries: Vectors, target: float
) -> None:
    index = build_index(vectors, ScannConfig(target_recall=target), queries=queries)
    assert ann_recall(index, index.exact, queries, 100) >= target


def test_without_a_single_query_the_vectors_are_tuned_on(vectors: Vectors) -> None:
    index = build_index(vectors, ScannConfig(tuning_queries=20), queries=vectors[:0])
    assert ann_recall(index, index.exact, vectors[::200], 100) >= 0.98


def test_a_higher_target_searches_more_leaves(vectors: Vectors, queries: Vectors) -> None:
    low, high = (
        build_index(vectors, ScannConfig(target_recall=target), queries=queries)
        for target in (0.7, 0.99)
    )
    assert isinstance(low, ScannIndex) and isinstance(high, ScannIndex)
    assert low.leaves is not None and high.leaves is not None
    few = low.leaves.curve.setting(100).leaves
    many = high.leaves.curve.setting(100).leaves
    assert few < many <= high.leaves.searcher.num_leaves == 63
    assert low.leaves.misses.plain > high.leaves.misses.plain


def test_numbers_given_are_kept(vectors: Vectors, queries: Vectors) -> None:
    config = ScannConfig(num_leaves=20, leaves_to_search=3, reorder=150)
    work = build_index(vectors, config).search(queries, 100).work
    assert (work.leaves == 3).all() and (abs(work.depth - 150) < 8).all()


@pytest.mark.parametrize("numbers", [{"leaves_to_search": 1}, {"reorder": 10}])
def test_one_number_without_the_other_is_an_error(numbers: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match="must both be 'auto' or both be numbers"):
        ScannConfig.model_validate(numbers)


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


def test_padding_of_scann_is_dropped(vectors: Vectors) -> None:
    """The trap itself: ScaNN fills a short batched result with row 0 and NaN."""
    index = build_index(vectors, ScannConfig(leaves_to_search=1, reorder=1, num_leaves=400))
    assert isinstance(index, ScannIndex) and index.leaves is not None
    searcher = index.leaves.searcher
    rows, scores = searcher.native.search_batched(
        vectors[:1], final_num_neighbors=900, leaves_to_search=1
    )
    assert np.isnan(scores).any() and (rows[np.isnan(scores)] == 0).all()
    proposed = searcher.propose(vectors[:1], 1, 900)[0]
    found = proposed[proposed >= 0]
    assert 0 < len(found) < 900 and len(set(found.tolist())) == len(found)
    assert (proposed[len(found) :] == -1).all()
    assert index.search(vectors[:1], 900).valid.all()


def test_scann_answers_a_query_alone_as_in_a_batch(vectors: Vectors) -> None:
    """Single queries take another way through ScaNN, which rounds its scores differently."""
    index = build_index(vectors, ScannConfig(leaves_to_search=3, reorder=1, num_leaves=40))
    assert isinstance(index, ScannIndex) and index.leaves is not None
    rows, scores = index.leaves.searcher.candidates(vectors[:50], 3, 60)
    for query in range(50):
        alone = index.leaves.searcher.candidates(vectors[query : query + 1], 3, 60)
        np.testing.assert_array_equal(alone[0][0], rows[query])
        np.testing.assert_allclose(alone[1][0], scores[query], rtol=1e-5)


@pytest.mark.parametrize("depth", [10, 50, 60])
def test_candidates_hold_all_copies_of_a_vector_or_none(vectors: Vectors, depth: int) -> None:
    copies = np.concatenate([np.repeat(vectors[:1], 50, axis=0), vectors])
    config = ScannConfig(leaves_to_search=20, reorder=depth, num_leaves=40)
    index = build_index(copies, config)
    for k in (1, 5, 30, 52):
        assert index.search(vectors[:1], k).rows[0, :51].tolist() == list(range(min(k, 51)))


def test_ids_never_reach_scann(vectors: Vectors) -> None:
    index = build_index(vectors, ScannConfig(leaves_to_search=1, reorder=1))
    assert isinstance(index, ScannIndex) and index.leaves is not None
    assert index.leaves.searcher.native.docids is None


def test_a_pickle_next_to_the_assets_is_refused_unopened(vectors: Vectors, tmp_path: Path) -> None:
    build_index(vectors, ScannConfig(leaves_to_search=1, reorder=1)).save(tmp_path)
    (tmp_path / "scann" / "scann_docids.pkl").write_bytes(b"whatever")
    with pytest.raises(DataError, match=r"holds a pickle, scann_docids\.pkl, which is never"):
        load_index(tmp_path, vectors)


def test_assets_elsewhere_are_refused(vectors: Vectors, tmp_path: Path) -> None:
    build_index(vectors, ScannConfig(leaves_to_search=1, reorder=1)).save(tmp_path)
    assets = tmp_path / "scann" / "scann_assets.pbtxt"
    text = assets.read_text()
    assets.write_text(text.replace('"hashed_dataset.npy"', '"/tmp/hashed_dataset.npy"'))
    seal(tmp_path)
    with pytest.raises(DataError, match="names a file '/tmp/hashed_dataset.npy' that is not in it"):
        load_index(tmp_path, vectors)


@pytest.mark.parametrize("name", ["scann_assets.pbtxt", "ah_codebook.pb", "hashed_dataset.npy"])
def test_missing_assets_are_named(vectors: Vectors, tmp_path: Path, name: str) -> None:
    build_index(vectors, ScannConfig(leaves_to_search=1, reorder=1)).save(tmp_path)
    (tmp_path / "scann" / name).unlink()
    with pytest.raises(DataError, match=name):
        load_index(tmp_path, vectors)


def test_damaged_leaves_are_refused(vectors: Vectors, tmp_path: Path) -> None:
    build_index(vectors, ScannConfig(leaves_to_search=1, reorder=1)).save(tmp_path)
    np.save(tmp_path / "leaves" / "factors.npy", np.zeros(3, np.float32))
    seal(tmp_path)
    with pytest.raises(
        DataError, match=r"factors.npy holds float32 \(3,\); expected .* \(4000, 2\)"
    ):
        load_index(tmp_path, vectors)
    (tmp_path / "leaves" / "codes.npy").write_bytes(b"half a file")
    seal(tmp_path)
    with pytest.raises(DataError, match=r"cannot read .*codes.npy: .*; build the index again"):
        load_index(tmp_path, vectors)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not an index description of format version 5"),
        ('{"format_version": 1}', "format_version"),
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


def test_importing_the_package_loads_neither_scann_nor_numba() -> None:
    code = (
        "import sys, recsys.index; "
        "print([n for n in ('scann', 'tensorflow', 'numba') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_configurations_round_trip() -> None:
    config = ScannConfig(num_leaves=7, leaves_to_search="all", reorder=9)
    assert ScannConfig.model_validate_json(config.model_dump_json()) == config
