"""The audit finds the recall of live searches, reports drift once, and never delays a search."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.ids import Vectors
from recsys.index import ExactConfig, ExactIndex, Hits
from recsys.index.audit import AuditConfig, Drift, RecallAudit
from recsys.index.live import IndexWriter, LiveIndex
from recsys.index.rows import RowSet
from tests import forked
from tests.contracts.index_contract import made_vectors

K = 10
WAIT = 300
"""Seconds until a test that hangs is a failure."""
ALL = AuditConfig(share=1, target=0.95, window=60, at_least=60, queue=1_000)


@dataclass(frozen=True)
class Blocked:
    """An exact index whose answer waits until the test lets it through."""

    index: ExactIndex
    entered: threading.Event
    free: threading.Event
    config: ExactConfig = ExactConfig()
    changes = 0

    def __hash__(self) -> int:
        return id(self)

    @property
    def exact(self) -> Any:
        return self

    def search(self, *arguments: Any, **options: Any) -> Hits:
        self.entered.set()
        assert self.free.wait(WAIT)
        return self.index.search(*arguments, **options)


@pytest.fixture(scope="module")
def index() -> ExactIndex:
    return ExactIndex.of(made_vectors(300, seed=1))


@pytest.fixture(scope="module")
def queries() -> Vectors:
    return made_vectors(60, seed=2)


def worse(hits: Hits, lost: int) -> Hits:
    """The hits without the ``lost`` best rows of each query, as an approximate index may lose."""
    return replace(
        hits,
        rows=np.roll(hits.rows, -lost, axis=1),
        scores=np.roll(hits.scores, -lost, axis=1),
        valid=hits.valid & (np.arange(hits.valid.shape[1]) < hits.valid.shape[1] - lost),
    )


def test_the_recall_is_the_share_found_per_kind(index: ExactIndex, queries: Vectors) -> None:
    allowed = RowSet.of_rows(range(0, 300, 2), 300)
    queries = queries[:50]
    exclude = [np.arange(5)] * len(queries)
    with RecallAudit(ALL) as audit:
        for lost, options in (
            (0, {}),
            (1, {"exclude": exclude}),
            (2, {"allowed": allowed}),
            (2, {"allowed": allowed, "exclude": exclude}),
        ):
            hits = index.search(queries, K, **options)
            audit.observe("items", index, queries, worse(hits, lost), k=K, **options)
        assert audit.wait(WAIT)
        figures = audit.figures()
    assert figures.seen == figures.sampled == figures.compared == 200
    assert (figures.dropped, figures.failed, figures.wrong_rows) == (0, 0, 0)
    kinds = {each.kind: each for each in figures.windows}
    assert {kind: round(each.recall, 6) for kind, each in kinds.items()} == {
        "plain": 1.0,
        "excluded": 0.9,
        "filtered": 0.8,
    }
    assert kinds["filtered"].compared == 100 and kinds["plain"].worst == 1.0
    for each in figures.windows:
        assert each.low < each.recall <= each.high and each.target == 0.95


def test_rows_that_change_after_a_search_are_no_errors(
    index: ExactIndex, queries: Vectors, tmp_path: Path
) -> None:
    with IndexWriter(LiveIndex.over(index), tmp_path) as writer, RecallAudit(ALL) as audit:
        live = writer.upsert(np.array([3]), queries[:1])
        hits = live.search(queries[:1], K)
        assert hits.rows[0, 0] == 3
        changed = writer.delete(np.array([3]))
        audit.observe("items", live, queries[:1], hits, k=K)
        assert audit.wait(WAIT)
        figures = audit.figures()
        assert [(each.kind, each.recall) for each in figures.windows] == [
            ("delta", 1.0),
            ("plain", 1.0),
        ]
        assert figures.wrong_rows == 0
        audit.observe("items", changed, queries[:1], hits, k=K)
        assert audit.wait(WAIT) and audit.figures().wrong_rows == 1


def test_a_tie_with_the_last_score_counts_as_found() -> None:
    index = ExactIndex.of(np.repeat(np.eye(4, dtype=np.float32)[:1], 20, axis=0))
    query = np.eye(4, dtype=np.float32)[:1]
    hits = index.search(query, 3)
    other = replace(hits, rows=hits.rows + 10)
    with RecallAudit(ALL) as audit:
        audit.observe("items", index, query, other, k=3)
        assert audit.wait(WAIT)
        assert audit.figures().windows[0].recall == 1.0


def test_rows_that_were_not_eligible_are_counted(index: ExactIndex, queries: Vectors) -> None:
    hits = index.search(queries, K)
    exclude = [rows[:1] for rows in hits.rows]
    with RecallAudit(ALL) as audit:
        audit.observe("items", index, queries, hits, k=K, exclude=exclude)
        audit.observe("items", index, queries, hits, k=K, allowed=RowSet.of_rows([], 300))
        assert audit.wait(WAIT)
        figures = audit.figures()
    assert figures.wrong_rows == len(queries) * (1 + K)
    assert [each.kind for each in figures.windows] == ["excluded"]


def test_a_drift_is_reported_once_with_a_remedy(index: ExactIndex, queries: Vectors) -> None:
    drifts: list[Drift] = []
    hits = index.search(queries, K)
    with RecallAudit(ALL, on_drift=drifts.append) as audit:
        for lost in (0, 1, 1, 0, 2):
            audit.observe("items", index, queries, worse(hits, lost), k=K)
            assert audit.wait(WAIT)
            assert audit.figures().windows[0].drifting == (lost > 0)
    assert len(drifts) == 2
    assert "tune the index again on current queries" in drifts[0].message
    assert drifts[0].message.startswith("recall of plain searches of 'items' is 0.9")
    assert "sampled queries, target 0.95" in drifts[0].message


def test_too_few_samples_are_no_drift(index: ExactIndex, queries: Vectors) -> None:
    drifts: list[Drift] = []
    hits = worse(index.search(queries[:59], K), 5)
    with RecallAudit(ALL, on_drift=drifts.append) as audit:
        audit.observe("items", index, queries[:59], hits, k=K)
        assert audit.wait(WAIT)
    assert not drifts


def test_a_fault_of_the_callback_does_not_end_the_audit(
    index: ExactIndex, queries: Vectors
) -> None:
    def fail(drift: Drift) -> None:
        raise RuntimeError("no pager")

    with RecallAudit(ALL, on_drift=fail) as audit:
        audit.observe("items", index, queries, worse(index.search(queries, K), 5), k=K)
        assert audit.wait(WAIT)
        figures = audit.figures()
    assert figures.compared == len(queries)
    assert (figures.failed, figures.last_error) == (1, "RuntimeError: no pager")


def sampled(seed: int, sizes: list[int], index: ExactIndex, query: Vectors) -> list[int]:
    audit = RecallAudit(AuditConfig(share=0.05, seed=seed, queue=1))
    audit._start = lambda: None  # type: ignore[method-assign]  # only the choice is wanted
    counts = []
    for size in sizes:
        many = np.repeat(query, size, axis=0)
        audit.observe("items", index, many, Hits.empty(queries=size, k=1), k=1)
        counts.append(audit.figures().sampled)
    return counts


def test_the_choice_depends_on_the_seed_and_the_order_only(
    index: ExactIndex, queries: Vectors
) -> None:
    query, sizes = queries[:1], [1, 7, 300, 2] * 20
    counts = sampled(3, sizes, index, query)
    assert counts == sampled(3, sizes, index, query) != sampled(4, sizes, index, query)
    # The same queries are chosen alone or in batches.
    assert counts[-1] == sampled(3, [1] * sum(sizes), index, query)[-1]
    assert 0.04 < counts[-1] / sum(sizes) < 0.06


def test_a_search_never_waits_and_a_full_queue_drops(index: ExactIndex, queries: Vectors) -> None:
    entered, free = threading.Event(), threading.Event()
    slow: Any = Blocked(index, entered, free)
    hits = index.search(queries, K)
    audit = RecallAudit(ALL.model_copy(update={"queue": 4}))
    audit.observe("items", slow, queries[:1], hits, k=K)
    assert entered.wait(WAIT)
    audit.observe("items", slow, queries[:20], hits, k=K)
    figures = audit.figures()
    assert (figures.seen, figures.dropped, figures.waiting) == (21, 16, 5)
    assert not audit.wait(0)
    free.set()
    assert audit.wait(WAIT) and audit.figures().compared == 5
    audit.close()
    audit.observe("items", slow, queries, hits, k=K)
    assert (audit.figures().seen, audit.figures().sampled) == (81, 21)


def test_the_caller_may_reuse_its_arrays(index: ExactIndex, queries: Vectors) -> None:
    entered, free = threading.Event(), threading.Event()
    slow: Any = Blocked(index, entered, free)
    mine, hits = queries.copy(), index.search(queries, K)
    with RecallAudit(ALL) as audit:
        audit.observe("items", slow, mine, hits, k=K)
        mine[:] = 0
        hits.rows[:] = 0
        free.set()
        assert audit.wait(WAIT)
        assert audit.figures().windows[0].recall == 1.0


def test_searches_of_another_effort_are_not_sampled(index: ExactIndex, queries: Vectors) -> None:
    with RecallAudit(ALL) as audit:
        audit.observe("items", index, queries, index.search(queries, K), k=K, effort=0.5)
        assert audit.figures().seen == 0


def test_observations_of_many_threads_are_all_counted(index: ExactIndex, queries: Vectors) -> None:
    hits = index.search(queries, K)
    with RecallAudit(AuditConfig(share=0.2, queue=1_000)) as audit:

        def observe(_: int) -> None:
            for query in range(50):
                audit.observe("items", index, queries[query : query + 1], hits, k=K)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(observe, range(8)))
        assert audit.wait(WAIT)
        figures = audit.figures()
    assert figures.seen == 400 and figures.compared == figures.sampled > 40


def test_a_forked_process_audits_with_a_thread_of_its_own() -> None:
    done = forked.run("tests.index.audit.forking")
    assert done.stdout.splitlines() == ["child 6", "parent 3"], done.stderr


def test_a_search_that_is_not_sampled_costs_a_few_microseconds(
    index: ExactIndex, queries: Vectors
) -> None:
    query, hits, calls = queries[:1], index.search(queries[:1], K), 2_000
    audit = RecallAudit(AuditConfig(share=1e-9))
    best = float("inf")
    for _ in range(10):
        start = time.thread_time()  # of this thread alone, whatever else the machine does
        for _ in range(calls):
            audit.observe("items", index, query, hits, k=K, exclude=None, allowed=None)
        best = min(best, time.thread_time() - start)
    assert best / calls < 10e-6, "ten times what it takes"
