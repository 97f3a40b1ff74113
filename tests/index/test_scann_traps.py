"""Traps of ScaNN's own Python layer, each next to what the index does instead.

A trap that a new version of ScaNN no longer has fails its first assertion; the guard may then go.
ScaNN's ``rebalance``, which trains everything again within the process, has none: it is not called.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from recsys.errors import InvalidRequestError
from recsys.index import ExactIndex, ScannConfig, build_index, load_index
from recsys.index.live import IndexWriter, LiveIndex, applying
from recsys.index.scann.index import ScannIndex
from recsys.index.scann.searcher import ScannSearcher
from tests.contracts.index_contract import assert_same, made_vectors

VECTORS = made_vectors(100, seed=41, dimension=4)
TWO = made_vectors(2, seed=42, dimension=4)
CONFIG = ScannConfig(num_leaves=4, leaves_to_search=1, reorder=1, brute_force_below=16)


class Native:
    """ScaNN's compiled searcher, of which every change fails, or none."""

    def __init__(self, *, fails: bool) -> None:
        self.fails, self.changes = fails, []

    def upsert(self, *change: Any) -> None:
        self._change(change)

    def delete(self, *change: Any) -> None:
        self._change(change)

    def _change(self, change: tuple[Any, ...]) -> None:
        if self.fails:
            raise RuntimeError("no memory")
        self.changes.append(change)


def searcher() -> ScannSearcher:
    """The searcher of the index over ``VECTORS``."""
    index = build_index(VECTORS, CONFIG)
    assert isinstance(index, ScannIndex) and index.leaves is not None
    return index.leaves.searcher


def with_ids(*, fails: bool) -> Any:
    """ScaNN's searcher of the items "a", "b" and "c"."""
    from scann.scann_ops.py.scann_ops_pybind import ScannSearcher

    return ScannSearcher(Native(fails=fails), docids=["a", "b", "c"])


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[IndexWriter]:
    with IndexWriter(LiveIndex.over(ExactIndex.of(VECTORS)), tmp_path) as writer:
        yield writer


def test_the_same_new_id_twice(writer: IndexWriter) -> None:
    scann = with_ids(fails=False)
    scann.upsert(["d", "d"], TWO)
    assert scann.docids == ["a", "b", "c", "d", "d"], "one id, two places"
    before = writer.current
    with pytest.raises(InvalidRequestError, match="row 100 is there twice"):
        writer.upsert(np.array([100, 100]), TWO)
    assert writer.current is before


def test_an_upsert_that_fails(writer: IndexWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    scann = with_ids(fails=True)
    with pytest.raises(RuntimeError):
        scann.upsert(["d"], TWO[:1])
    assert scann.docids == ["a", "b", "c", "d"], "the map is ahead of the index"

    before = writer.current
    expected = before.search(VECTORS[:9], 100)

    def fail(*_: object) -> NoReturn:
        raise RuntimeError("no memory")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(applying, "LiveCounts", fail)
        writer.upsert(np.array([100, 3]), TWO)
    assert writer.current is before
    assert_same(before.search(VECTORS[:9], 100), expected)


def test_a_delete_that_fails(writer: IndexWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    scann = with_ids(fails=True)
    with pytest.raises(RuntimeError):
        scann.delete(["a"])
    assert scann.docids == ["c", "b"], "deleted in the map, found by the index"

    before = writer.current
    expected = before.search(VECTORS[:9], 100)

    def fail(*_: object) -> NoReturn:
        raise RuntimeError("no memory")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(applying, "LiveCounts", fail)
        writer.delete(np.array([3]))
    assert writer.current is before
    assert_same(before.search(VECTORS[:9], 100), expected)


def test_an_unknown_id_among_others(writer: IndexWriter) -> None:
    scann = with_ids(fails=False)
    with pytest.raises(KeyError, match="Docid not found"):
        scann.delete(["a", "nobody"])
    assert scann.docids == ["c", "b"] and scann.searcher.changes == [], "half of it was done"
    before = writer.current
    with pytest.raises(InvalidRequestError, match="row 100 cannot be deleted: it has no vector"):
        writer.delete(np.array([3, 100]))
    assert writer.current is before and before.mask[3]


def test_a_batch_of_few_results_is_padded() -> None:
    rows, scores = searcher().native.search_batched(
        VECTORS[:2], final_num_neighbors=100, leaves_to_search=1
    )
    assert np.isnan(scores).any() and (rows[np.isnan(scores)] == 0).all(), "row 0 and NaN"
    hits = build_index(VECTORS, CONFIG).search(VECTORS[:2], 100)
    assert hits.valid.all() and np.isfinite(hits.scores).all()
    assert all(sorted(rows) == list(range(100)) for rows in hits.rows.tolist())


def test_saved_paths_are_absolute(tmp_path: Path) -> None:
    (tmp_path / "scann").mkdir()
    searcher().native.serialize(str(tmp_path / "scann"))
    assert str(tmp_path) in (tmp_path / "scann" / "scann_assets.pbtxt").read_text()
    index = build_index(VECTORS, CONFIG)
    index.save(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    moved = load_index(tmp_path / "there", VECTORS)
    assert_same(moved.search(TWO, 9), index.search(TWO, 9))


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # ScaNN leaves the file open.
def test_ids_are_saved_as_a_pickle(tmp_path: Path) -> None:
    scann = with_ids(fails=False)
    scann.searcher.serialize = lambda *_: None
    scann.serialize(str(tmp_path))
    assert (tmp_path / "scann_docids.pkl").exists()
    build_index(VECTORS, CONFIG).save(tmp_path / "index")
    assert not list((tmp_path / "index").rglob("*.pkl"))


def test_a_search_has_no_filter() -> None:
    native = type(with_ids(fails=False))
    parameters = set(inspect.signature(native.search_batched).parameters)
    assert parameters == {
        *("self", "queries", "final_num_neighbors"),
        *("pre_reorder_num_neighbors", "leaves_to_search"),
    }, "ScaNN may filter now"
