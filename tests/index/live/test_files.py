"""A saved live index is whole and its own, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.ids import Vectors
from recsys.index import ExactIndex
from recsys.index.live import IndexWriter, LiveIndex, load_live
from tests.contracts.index_contract import assert_same, made_vectors


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return made_vectors(50, seed=31)


@pytest.fixture
def saved(vectors: Vectors, tmp_path: Path) -> Path:
    with IndexWriter(LiveIndex.over(ExactIndex.of(vectors)), tmp_path / "work") as writer:
        writer.upsert(np.array([50, 3]), made_vectors(2, seed=32))
        writer.delete(np.array([8, 50])).save(tmp_path / "live")
        expected = writer.current
    loaded = load_live(tmp_path / "live", vectors)
    assert (loaded.version, len(loaded), loaded.counts) == (2, 51, expected.counts)
    assert_same(loaded.search(vectors[:9], 51), expected.search(vectors[:9], 51))
    return tmp_path / "live"


def test_a_half_written_folder_is_refused(saved: Path, vectors: Vectors) -> None:
    (saved / "live.json").unlink()
    with pytest.raises(DataError, match="the folder holds no whole live index"):
        load_live(saved, vectors)


@pytest.mark.parametrize("name", ["rows.npy", "vectors.npy", "hidden.npy"])
def test_damaged_and_missing_arrays_are_refused(saved: Path, vectors: Vectors, name: str) -> None:
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DataError, match=f"{name} does not have the content that was saved"):
        load_live(saved, vectors)
    (saved / name).unlink()
    with pytest.raises(DataError, match=f"cannot read .*{name}"):
        load_live(saved, vectors)


def test_the_base_of_another_index_is_refused(
    saved: Path, vectors: Vectors, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="other vectors of the same shape"):
        load_live(saved, vectors[::-1])
    ExactIndex.of(vectors[::-1]).save(saved / "base")
    with pytest.raises(DataError, match="is not the base that"):
        load_live(saved, vectors[::-1])


def test_another_format_is_refused(saved: Path, vectors: Vectors) -> None:
    description = json.loads((saved / "live.json").read_text())
    (saved / "live.json").write_text(json.dumps({**description, "format_version": 2}))
    with pytest.raises(DataError, match="does not describe a live index of format version 1"):
        load_live(saved, vectors)


def test_arrays_that_do_not_fit_the_base_are_refused(saved: Path, vectors: Vectors) -> None:
    from recsys.files import sha256_file

    np.save(saved / "rows.npy", np.array([12], np.int32))  # Row 12 is not hidden in the base.
    description = json.loads((saved / "live.json").read_text())
    description["files"]["rows.npy"] = sha256_file(saved / "rows.npy")
    (saved / "live.json").write_text(json.dumps(description))
    with pytest.raises(DataError, match="is damaged: rows and vectors do not fit the base"):
        load_live(saved, vectors)
