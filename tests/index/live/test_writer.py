"""Refused writes change nothing, and a compaction that fails changes nothing either."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.errors import InvalidRequestError, ServiceError
from recsys.ids import Vectors
from recsys.index import ExactIndex, ScannConfig, build_index
from recsys.index.live import Change, CompactionRule, IndexWriter, LiveIndex, applying
from recsys.index.live.compaction import build_exported, build_in_process
from recsys.index.recall import ann_recall
from tests.contracts.index_contract import assert_same, made_vectors

ROWS, DIMENSION = 200, 12
Open = Callable[..., IndexWriter]


@pytest.fixture
def vectors() -> Vectors:
    return made_vectors(ROWS, seed=21)


@pytest.fixture
def open_writer(vectors: Vectors, tmp_path: Path) -> Any:
    opened: list[IndexWriter] = []

    def open_one(**options: Any) -> IndexWriter:
        live = LiveIndex.over(ExactIndex.of(vectors))
        opened.append(IndexWriter(live, tmp_path / f"writer{len(opened)}", **options))
        return opened[-1]

    yield open_one
    for writer in opened:
        writer.close()


def one(value: float = 1.0, dimension: int = DIMENSION) -> Vectors:
    return np.full((1, dimension), value, np.float32)


@pytest.mark.parametrize(
    ("rows", "values", "message"),
    [
        ([3, 3], np.ones((2, DIMENSION), np.float32), "row 3 is there twice"),
        ([3], one(dimension=5), r"float32 \[1, 12\], one per row; got \(1, 5\)"),
        ([3], one().astype(float), r"float32 \[1, 12\], one per row; got float64"),
        ([3], one(np.nan), "must be finite .* number 0 is not"),
        ([3], one(1e30), "no longer than"),
        ([-1], one(), "rows must be from 0 to"),
        ([ROWS + 1], one(), "must follow the last row, 199, without a gap; got 201 where 200"),
        ([0.5], one(), "rows must be whole numbers"),
        ([[1]], one(), "of one dimension"),
        ([1, 2], one(), r"float32 \[2, 12\]"),
    ],
)
def test_a_wrong_upsert_is_refused(
    open_writer: Open, rows: Any, values: Vectors, message: str
) -> None:
    writer = open_writer()
    before = writer.current
    with pytest.raises(InvalidRequestError, match=message):
        writer.upsert(np.array(rows), values)
    assert writer.current is before


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([5, ROWS], "row 200 cannot be deleted: it has no vector"),
        ([5, 7], "row 7 cannot be deleted: it has no vector, or was deleted before"),
        ([5, 5], "row 5 is there twice"),
        ([-1], "deleted must be from 0 to"),
    ],
)
def test_a_wrong_delete_is_refused(open_writer: Open, rows: list[int], message: str) -> None:
    writer = open_writer()
    before = writer.delete(np.array([7]))
    with pytest.raises(InvalidRequestError, match=message):
        writer.delete(np.array(rows))
    assert writer.current is before and before.counts.alive == ROWS - 1


def test_a_write_that_is_interrupted_is_undone(
    open_writer: Open, vectors: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = open_writer()
    before = writer.upsert(np.array([1, ROWS]), np.concatenate([one(), one(2)]))
    expected = before.search(vectors[:5], ROWS)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(applying, "LiveCounts", interrupt)
        writer.upsert(np.array([1, 2, ROWS + 1]), np.ones((3, DIMENSION), np.float32))
    assert writer.current is before
    writer.upsert(np.array([3]), vectors[3:4])
    assert_same(writer.current.search(vectors[:5], ROWS), expected)


def test_a_rule_starts_a_compaction(open_writer: Open) -> None:
    compacted = threading.Event()

    def build(folder: Path, stop: threading.Event) -> None:
        build_exported(folder)
        compacted.set()

    writer = open_writer(rule=CompactionRule(share=0.02, least=3), build=build)
    writer.upsert(np.array([0, 1]), np.ones((2, DIMENSION), np.float32))
    assert writer.last_compaction is None and not compacted.is_set()
    writer.delete(np.array([2, 3]))
    assert compacted.wait(300)
    writer.close()
    report = writer.last_compaction
    assert report is not None and report.error is None and report.rows == ROWS
    assert report.reason == "4 rows of 200 have changed"
    assert (writer.current.counts.alive, writer.current.counts.fresh) == (ROWS - 2, 0)


def test_a_compaction_that_fails_changes_nothing_and_waits(
    open_writer: Open, tmp_path: Path
) -> None:
    def build(folder: Path, stop: threading.Event) -> None:
        (folder / "config.json").write_text("{}")
        build_in_process(folder, stop)

    writer = open_writer(rule=CompactionRule(share=0.01, least=4), build=build)
    before = writer.upsert(np.array([0, 1]), np.ones((2, DIMENSION), np.float32))
    report = writer.compact()
    assert report.error is not None
    assert report.error.startswith("ServiceError: the process that builds the new base ended with")
    assert writer.current is before and not list(tmp_path.glob("*/base-*"))
    assert writer.request_compaction("recall has drifted")
    writer.close()


def test_a_compaction_can_be_stopped_and_ends_its_process(open_writer: Open) -> None:
    started = threading.Event()

    def build(folder: Path, stop: threading.Event) -> None:
        started.set()
        assert stop.wait(300)
        build_in_process(folder, stop)

    writer = open_writer(build=build)
    before = writer.current
    assert writer.request_compaction("test") and not writer.request_compaction("another one")
    assert started.wait(300)
    writer.close()
    assert writer.current is before and writer.last_compaction is not None
    assert "was stopped before its end" in str(writer.last_compaction.error)
    with pytest.raises(ServiceError, match="the writer is closed"):
        writer.delete(np.array([1]))


def test_another_process_builds_the_new_base(
    open_writer: Open, vectors: Vectors, tmp_path: Path
) -> None:
    writer = open_writer(build=build_in_process)
    writer.upsert(np.array([ROWS, 4]), made_vectors(2, seed=22))
    before = writer.delete(np.array([9]))
    assert writer.compact().error is None
    after = writer.current
    assert (after.counts.fresh, after.counts.hidden, after.counts.alive) == (0, 1, ROWS)
    assert_same(after.search(vectors[:20], 30), before.search(vectors[:20], 30))
    assert writer.compact().error is None
    assert len(list(tmp_path.glob("*/base-*"))) == 1, "the folder of the base before is removed"
    assert_same(writer.current.search(vectors[:20], 30), before.search(vectors[:20], 30))


def test_every_read_during_writes_sees_one_version(open_writer: Open) -> None:
    """The version decides the whole content: row i has the vector of version v, or is deleted."""
    writer = open_writer(build=lambda folder, stop: build_exported(folder))
    rows = np.arange(ROWS, dtype=np.int32)
    queries = one()

    def content(version: int) -> tuple[list[int], list[float]]:
        """Version v, from 1: rows below v have the score v, others their first, 0 without 7."""
        deleted = {7} if version % 2 == 0 else set[int]()
        scores = {row: float(version * DIMENSION) for row in rows.tolist() if row not in deleted}
        chosen = sorted(scores, key=lambda row: (-scores[row], row))[:20]
        return chosen, [scores[row] for row in chosen]

    def write() -> None:
        for version in range(1, 60):
            each = rows if version % 2 else np.delete(rows, 7)
            vectors = np.full((len(each), DIMENSION), version, np.float32)
            gone = [] if version % 2 else [7]
            writer.write(Change.of(DIMENSION, size=ROWS, rows=each, vectors=vectors, deleted=gone))
            if version % 20 == 0:
                writer.request_compaction("test")

    def read() -> int:
        reads, low = 0, 0
        while low < 59:
            low = writer.current.version
            live = writer.current
            hits = live.search(queries, 20)
            high = writer.current.version
            assert low <= live.version <= high
            if live.version:
                assert tuple(each.tolist() for each in hits.at(0)) == content(live.version)
            reads += 1
        return reads

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        pool.submit(write).result()
        assert all(reader.result() for reader in readers)
    writer.close()
    assert writer.last_compaction is not None and writer.last_compaction.error is None


def test_recall_of_a_large_delta_is_that_of_the_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "TAIL", 100)
    vectors, queries = made_vectors(6_000, seed=23), made_vectors(100, seed=24)
    base = build_index(vectors[:4_000], ScannConfig(target_recall=0.9), queries=queries)
    writer = IndexWriter(LiveIndex.over(base), tmp_path)
    live = writer.upsert(np.arange(3_000, 6_000, dtype=np.int32), vectors[3_000:])
    assert ann_recall(live, ExactIndex.of(vectors), queries, 20) > 0.88


def test_stored_vectors_stay_stored_through_a_compaction(vectors: Vectors, tmp_path: Path) -> None:
    base = build_index(vectors, ScannConfig(storage="int8"))
    writer = IndexWriter(LiveIndex.over(base), tmp_path, build=lambda path, _: build_exported(path))
    writer.upsert(np.array([ROWS, 4]), made_vectors(2, seed=22))
    assert writer.compact().error is None
    assert type(writer.current.live_vectors.base) is type(base.vectors)
    hits = writer.current.search(vectors[:20], 3)
    assert_same(hits, writer.current.base.index.search(vectors[:20], 3))
