"""Reads of an index while a fifth of its rows are replaced, compaction included.

One thread writes at a fixed rate: half of the rows get new vectors, a quarter are deleted, and a
quarter as many new rows are added. Another one reads at a fixed rate, first without writes. Every
answer is compared with the vectors of the version that it read, and a sample with the exact answer
of that version. The compaction runs in the writer's own background process.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.index.data.datasets import MIXTURES, SEED
from benchmarks.index.measures.churn_truth import Changes, Read
from benchmarks.index.parts import data_set, index_folder
from recsys.ids import Vectors
from recsys.index import load_index
from recsys.index.live import IndexWriter, LiveIndex

TARGET, K, SHARE = 0.95, 10, 0.2
WRITES, READS, BATCH = 1_000, 400, 40
"""Rows per second, queries per second, and rows per write."""
QUIET_SECONDS = 15.0
SEGMENTS, SAMPLE = 8, 60
"""Number of parts of the time, and of answers in each that are compared with exact ones."""


def measure(work: Path, data: str, items: int) -> dict[str, Any]:
    """Wrong rows, recall over time, and latencies before and during the writes."""
    os.sched_setaffinity(0, range(os.cpu_count() or 1))  # the compaction is another process
    found = data_set(work, data, items)
    index = load_index(index_folder(work, data, items, f"ours {TARGET}"), found.items)
    mixture = MIXTURES[data](items, np.random.default_rng(SEED))
    changes = Changes.drawn(items, round(items * SHARE), BATCH, mixture)
    folder = work / "churn"
    shutil.rmtree(folder, ignore_errors=True)
    tuning = np.array(found.array("tuning"))
    with IndexWriter(LiveIndex.over(index), folder, queries=tuning) as writer:
        reader = Reader(writer, found.array("queries"))
        reader.run(lambda: reader.seconds >= QUIET_SECONDS / 5)  # warm
        reader.reads.clear()
        reader.run(lambda: reader.seconds >= QUIET_SECONDS)
        quiet, reader.reads = reader.reads, []
        writing = Writing(writer, changes, reader)
        thread = threading.Thread(target=writing.run)
        thread.start()
        reader.run(lambda: not thread.is_alive())
        thread.join()
    vectors, reads = found.items, reader.reads
    wrong = changes.wrong_rows(vectors, reader.queries, reads)

    def recall(reads: list[Read]) -> float:
        some = reads[:: max(1, len(reads) // SAMPLE)]
        return float(changes.recalls(vectors, reader.queries, some, K).mean())

    bounds = np.linspace(0, len(reads), SEGMENTS + 1).astype(int)
    figures = {"quiet": _latency(quiet), "churn": _latency(reader.reads)}
    return {
        "wrong_rows": wrong + reader.stale,
        "p99_ratio": figures["churn"]["p99_us"] / figures["quiet"]["p99_us"],
        "latency": figures,
        "answers": len(reader.reads),
        "target": TARGET,
        "quiet_recall": recall(quiet),
        "recall": [recall(reads[start:end]) for start, end in zip(bounds[:-1], bounds[1:])],
        "rows_per_second": len(changes.rows) / writing.seconds,
        "seconds": writing.seconds,
        "compactions": writing.compactions,
    }


@dataclass
class Reader:
    """Searches at a fixed rate.

    Attributes:
        writer: Writer whose newest version is read.
        queries: Query vectors, taken in turn.
        reads: Answers.
        stale: Number of answers of a version older than the last write that had returned.
        acknowledged: Version of the last write that has returned.
        seconds: Duration of the current run.
    """

    writer: IndexWriter
    queries: Vectors
    reads: list[Read] = field(default_factory=list)
    stale: int = 0
    acknowledged: int = 0
    seconds: float = 0.0

    def run(self, done: Callable[[], bool]) -> None:
        """Read until ``done``."""
        began, number, self.seconds = time.perf_counter(), 0, 0.0
        while not done():
            _wait(began + number / READS)
            query, acknowledged = number % len(self.queries), self.acknowledged
            vector = self.queries[query : query + 1]
            start = time.perf_counter()
            index = self.writer.current
            hits = index.search(vector, K)
            end = time.perf_counter()
            self.stale += index.version < acknowledged
            rows, scores = hits.at(0)
            self.reads.append(Read(index.version, query, rows, scores, end - start))
            number, self.seconds = number + 1, end - began


@dataclass
class Writing:
    """Writes at a fixed rate, and then waits for a compaction.

    Attributes:
        writer: The writer.
        changes: What to write.
        reader: Reader to which each write that has returned is reported.
        seconds: Duration of the writes.
        compactions: Reports of the compactions.
    """

    writer: IndexWriter
    changes: Changes
    reader: Reader
    seconds: float = 0.0
    compactions: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> None:
        """Write everything; compact at the end if no compaction ran."""
        began, changes = time.perf_counter(), self.changes
        for number, batch in enumerate(changes.batches()):
            _wait(began + number * BATCH / WRITES)
            rows, deleted = changes.rows[batch], changes.deletes[batch]
            changes.versions[batch][~deleted] = self.writer.current.version + 1
            live = self.writer.upsert(rows[~deleted], changes.vectors[batch][~deleted])
            self.reader.acknowledged = live.version
            changes.versions[batch][deleted] = live.version + 1
            self.reader.acknowledged = self.writer.delete(rows[deleted]).version
            self._report()
        self.seconds = time.perf_counter() - began
        if not self.compactions:
            self.writer.compact()
            self._report()

    def _report(self) -> None:
        report = self.writer.last_compaction
        if report is not None:
            found = {"reason": report.reason, "rows": report.rows, "seconds": report.seconds}
            found["error"] = report.error
            if found not in self.compactions:
                self.compactions.append(found)


def _wait(until: float) -> None:
    time.sleep(max(0.0, until - time.perf_counter()))


def _latency(reads: list[Read]) -> dict[str, float]:
    seconds = [read.seconds for read in reads]
    names = {"p50_us": 50, "p99_us": 99, "p999_us": 99.9}
    return {name: float(np.percentile(seconds, each)) * 1e6 for name, each in names.items()}
