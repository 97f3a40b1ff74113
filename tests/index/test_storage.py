"""Compact vectors are read as float32 arrays, and an index over them keeps the contract."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.ids import Vectors
from recsys.index import ExactIndex, Index, ScannConfig, build_index
from recsys.index.storage import (
    SCALES,
    VECTORS,
    StoredVectors,
    bytes_per_item,
    digest,
    load_vectors,
    save_vectors,
)
from tests.contracts.index_contract import ITEMS, IndexContract, made_vectors

Compact = Literal["bfloat16", "int8"]
BOTH = pytest.mark.parametrize("storage", ["bfloat16", "int8"])


class TestScannWithInt8(IndexContract):
    """Over vectors that int8 holds exactly; of others, the stored ones are searched."""

    thorough = False

    @pytest.fixture(scope="class")
    @classmethod
    def vectors(cls) -> Vectors:
        return np.asarray(StoredVectors.encode(made_vectors(ITEMS, seed=1), "int8"))

    @classmethod
    def build(cls, vectors: Vectors) -> Index:
        return build_index(
            vectors, ScannConfig(storage="int8", num_leaves=39, leaves_to_search=20, reorder=100)
        )


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    vectors = made_vectors(500, seed=1)
    vectors[::2] *= np.float32(1e-5)
    vectors[7] = 0
    return vectors


@BOTH
def test_each_number_is_the_nearest_of_its_storage(vectors: Vectors, storage: Compact) -> None:
    read = np.asarray(StoredVectors.encode(vectors, storage))
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    if storage == "bfloat16":
        assert (np.abs(read - vectors) <= np.abs(vectors) * 2.0**-8).all()
    else:
        assert (np.abs(read - vectors) <= largest / 253).all()
    assert not read[7].any()


@BOTH
def test_stored_vectors_are_read_as_an_array_is(vectors: Vectors, storage: Compact) -> None:
    stored = StoredVectors.encode(vectors, storage)
    whole = np.asarray(stored)
    assert stored.shape == whole.shape and stored.dtype == whole.dtype == np.float32
    for key in (3, slice(5, 90, 7), np.array([9, 2, 9]), np.arange(500) % 3 == 0):
        np.testing.assert_array_equal(stored[key], whole[key])
    with pytest.raises(ValueError, match="copy them"):
        np.asarray(stored, copy=False)


@BOTH
def test_encoding_again_changes_nothing(vectors: Vectors, storage: Compact) -> None:
    once = StoredVectors.encode(vectors, storage)
    again = StoredVectors.encode(np.asarray(once), storage)
    assert digest(again) == digest(once)  # type: ignore[arg-type]


@BOTH
def test_files_are_mapped_and_hold_the_stated_bytes(
    vectors: Vectors, storage: Compact, tmp_path: Path
) -> None:
    index = build_index(vectors, ScannConfig(storage=storage))
    save_vectors(tmp_path, index.vectors)
    loaded = load_vectors(tmp_path)
    assert isinstance(loaded, StoredVectors) and loaded.storage == storage
    assert not loaded.codes.flags.owndata and digest(loaded) == digest(index.vectors)
    sizes = sum(path.stat().st_size - 128 for path in tmp_path.iterdir())  # 128: header of a file
    assert sizes == bytes_per_item(index.vectors) * 500
    assert bytes_per_item(index.vectors) == {"bfloat16": 24, "int8": 16}[storage]


def test_foreign_and_damaged_files_are_refused(vectors: Vectors, tmp_path: Path) -> None:
    save_vectors(tmp_path, build_index(vectors, ScannConfig(storage="int8")).vectors)
    np.save(tmp_path / SCALES, np.ones(3, np.float32))
    with pytest.raises(DataError, match=r"must hold float32 \[500\]; got float32 \(3,\)"):
        load_vectors(tmp_path)
    np.save(tmp_path / VECTORS, np.ones(3, np.int64))
    with pytest.raises(DataError, match=r"must hold float32, uint16 .* got int64 \(3,\)"):
        load_vectors(tmp_path)


@BOTH
def test_few_neighbours_change(storage: Compact) -> None:
    vectors = made_vectors(3_000, seed=3, dimension=32)
    queries = made_vectors(50, seed=4, dimension=32)
    stored = build_index(vectors, ScannConfig(storage=storage, leaves_to_search="all"))
    truth = ExactIndex.of(vectors).search(queries, 10).rows
    found = stored.search(queries, 10).rows
    share = np.mean([np.isin(*each).mean() for each in zip(truth, found)])
    assert share >= {"bfloat16": 0.97, "int8": 0.95}[storage]
