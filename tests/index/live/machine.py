"""A state machine: a live index is a dictionary with exact search, whatever is written to it."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from recsys.errors import InvalidRequestError
from recsys.ids import Vectors
from recsys.index import Hits, Index, RowSet
from recsys.index.live import IndexWriter, LiveIndex, load_live
from recsys.index.live.compaction import build_exported

DIMENSION = 4
Model = dict[int, Vectors]
SEEDS = st.integers(0, 2**32 - 1)


def made(count: int, seed: int) -> Vectors:
    """Vectors of small whole numbers, so that many scores are equal."""
    numbers = np.random.default_rng(seed).integers(-3, 4, (count, DIMENSION))
    return numbers.astype(np.float32)


def exact_answer(model: Model, query: Vectors, k: int) -> tuple[list[int], list[float]]:
    """The k best rows of a dictionary and their scores."""
    scores = {row: float(vector @ query) for row, vector in model.items()}
    rows = sorted(scores, key=lambda row: (-scores[row], row))[:k]
    return rows, [scores[row] for row in rows]


class LiveMachine(RuleBasedStateMachine):
    """``build`` gives the base; ``exact`` says that every search finds the exact answer."""

    exact = True
    first_rows = 12
    build: Callable[[Vectors], Index]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.writes_meanwhile: list[tuple[int, int]] = []
        self.snapshots: list[tuple[LiveIndex, Model]] = []

    @initialize(seed=SEEDS)
    def begin(self, seed: int) -> None:
        vectors = made(self.first_rows, seed)
        self.model: Model = dict(enumerate(vectors))
        self.size = len(vectors)
        self.open(LiveIndex.over(type(self).build(vectors)))

    def open(self, live: LiveIndex) -> None:
        folder = Path(tempfile.mkdtemp(dir=self.folder.name))
        self.writer = IndexWriter(live, folder, build=self.build_new_base)

    def build_new_base(self, folder: Path, stop: threading.Event) -> None:
        """The build of a compaction, during which other writes come."""
        for seed, count in self.writes_meanwhile:
            self.upsert(seed, count, count // 2)
            if self.model:
                self.delete(seed, count)
        build_exported(folder)

    @rule(seed=SEEDS, updates=st.integers(0, 6), new=st.integers(0, 6))
    def upsert(self, seed: int, updates: int, new: int) -> None:
        rng = np.random.default_rng(seed)
        rows = np.concatenate(
            [rng.choice(self.size, updates, replace=False), self.size + rng.permutation(new)]
        ).astype(np.int32)
        vectors = made(len(rows), seed)
        self.writer.upsert(rows, vectors)
        vectors_before, vectors[:] = vectors.copy(), 99  # The writer keeps a copy.
        self.model |= dict(zip(rows.tolist(), vectors_before))
        self.size += new

    @rule(seed=SEEDS, count=st.integers(1, 6))
    def delete(self, seed: int, count: int) -> None:
        alive = sorted(self.model)
        rows = np.random.default_rng(seed).permutation(alive)[:count].astype(np.int32)
        self.writer.delete(rows)
        for row in rows.tolist():
            del self.model[row]

    @rule(seed=SEEDS, data=st.data())
    def refused(self, seed: int, data: st.DataObject) -> None:
        """A call that is refused changes nothing, although a part of it is valid."""
        writer, good, one = self.writer, made(1, seed), [0]
        deleted = next((row for row in range(self.size) if row not in self.model), self.size)
        calls: list[Callable[[], Any]] = [
            lambda: writer.upsert(np.array([0, 0]), made(2, seed)),
            lambda: writer.upsert(np.array([0, self.size + 1]), made(2, seed)),
            lambda: writer.upsert(np.array(one), good[:, 1:]),
            lambda: writer.upsert(np.array(one), np.full((1, DIMENSION), np.nan, np.float32)),
            lambda: writer.delete(np.array([*sorted(self.model)[:1], deleted])),
            lambda: writer.delete(np.array([-1])),
        ]
        before = writer.current
        try:
            data.draw(st.sampled_from(calls))()
        except InvalidRequestError:
            assert writer.current is before
        else:
            raise AssertionError("the call was not refused")

    @rule()
    def snapshot(self) -> None:
        self.snapshots = [*self.snapshots[-2:], (self.writer.current, dict(self.model))]

    @rule(writes=st.lists(st.tuples(SEEDS, st.integers(1, 6)), max_size=2))
    def compact(self, writes: list[tuple[int, int]]) -> None:
        self.writes_meanwhile = writes
        report = self.writer.compact()
        assert report.error is None
        assert writes or self.writer.current.counts.fresh == 0

    @rule()
    def save_and_load(self) -> None:
        live = self.writer.current
        folder = Path(tempfile.mkdtemp(dir=self.folder.name))
        live.save(folder)
        self.writer.close()
        self.open(load_live(folder, live.base.index.vectors))

    @rule(
        seed=SEEDS,
        k=st.sampled_from([1, 3, 10, 50]),
        share=st.sampled_from([None, 0.0, 0.1, 0.6]),
        excluded=st.sampled_from([0, 1, 8]),
    )
    def search(self, seed: int, k: int, share: float | None, excluded: int) -> None:
        self.check(self.writer.current, self.model, seed, k, share, excluded)
        for live, model in self.snapshots:
            self.check(live, model, seed, k, share, excluded)

    def check(
        self, live: LiveIndex, model: Model, seed: int, k: int, share: float | None, count: int
    ) -> None:
        rng = np.random.default_rng(seed)
        queries = made(2, seed)
        mask = np.ones(len(live), np.bool_) if share is None else rng.random(len(live)) < share
        allowed = None if share is None else RowSet.of_mask(mask)
        exclude = [rng.choice(len(live), min(count, len(live))).astype(np.int32) for _ in queries]
        for _ in range(2):  # The second search finds what the first one kept of the filter.
            hits = live.search(queries, k, exclude=exclude, allowed=allowed)
            for position, query in enumerate(queries):
                without = set(exclude[position].tolist())
                eligible = {row: each for row, each in model.items() if mask[row]}
                eligible = {row: eligible[row] for row in eligible.keys() - without}
                expected = exact_answer(eligible, query, k)
                self.compare(hits, position, expected, query, model, mask, without)

    def compare(
        self,
        hits: Hits,
        position: int,
        expected: tuple[list[int], list[float]],
        query: Vectors,
        model: Model,
        mask: Any,
        without: set[int],
    ) -> None:
        rows, scores = (each.tolist() for each in hits.at(position))
        assert len(rows) == len(expected[0]) == len(set(rows))
        assert scores == [float(model[row] @ query) for row in rows]
        assert all(mask[row] and row not in without for row in rows)
        assert rows == sorted(rows, key=lambda row: (-float(model[row] @ query), row))
        if self.exact:
            assert rows == expected[0]

    @invariant()
    def vectors_and_mask(self) -> None:
        assert len(self.writer.current) == self.size
        for live, model in [*self.snapshots, (self.writer.current, self.model)]:
            zeros, rows = np.zeros(DIMENSION, np.float32), range(len(live))
            expected = np.array([model.get(row, zeros) for row in rows], np.float32)
            np.testing.assert_array_equal(np.asarray(live.vectors), expected)
            np.testing.assert_array_equal(live.vectors[::-1], expected[::-1])
            np.testing.assert_array_equal(live.mask, [row in model for row in rows])
            assert live.counts.alive == len(model)

    def teardown(self) -> None:
        if hasattr(self, "writer"):
            self.writer.close()
        self.folder.cleanup()
