"""ScaNN's own upsert and delete: throughput, latency of reads meanwhile, recall, and its traps.

Run ``python -m benchmarks.index.scann_mutation [rows]`` on an idle machine; it prints the figures
of ``docs/design/freshness.md``. A tenth of the rows gets other vectors, half of them in new
clusters, and rows are deleted at a fixed rate while another thread reads.
"""

from __future__ import annotations

import importlib
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from recsys.ids import Mask, Vectors
from recsys.index import ExactIndex

DIMENSION, CLUSTERS, K, QUERIES, LEAVES_SHARE, REORDER = 64, 1_000, 10, 500, 0.05, 100
DELETES, DELETES_PER_SECOND = 4_000, 1_000
Search = Callable[[Vectors], tuple[list[int], Vectors]]


def main(rows: int) -> dict[str, float]:
    """Measure and print; the figures."""
    rng = np.random.default_rng(1)
    centres = rng.standard_normal((CLUSTERS, DIMENSION)).astype(np.float32)
    vectors, queries = clustered(rng, centres, rows), clustered(rng, centres, QUERIES)
    alive = np.ones(rows, np.bool_)
    searcher = build(vectors)
    search = reader(searcher, round(LEAVES_SHARE * rows**0.5))
    figures = {"recall before": recall(search, vectors, alive, queries)}
    figures |= read_until("quiet", search, queries, alive, time_limit(5))
    others = rng.standard_normal((CLUSTERS, DIMENSION)).astype(np.float32)
    moved = rng.choice(rows, rows // 10, replace=False)
    new = clustered(rng, np.stack([centres, others], axis=1).reshape(-1, DIMENSION), len(moved))
    began = time.perf_counter()
    for row, vector in zip(moved.tolist(), new):
        searcher.upsert([row], vector)
    figures["upserts per second"] = len(moved) / (time.perf_counter() - began)
    vectors[moved] = new
    queries = np.concatenate([queries, new[:QUERIES]])
    figures["recall after updates of 10%"] = recall(search, vectors, alive, queries)
    deleting = threading.Thread(target=delete_some, args=(searcher, alive))
    deleting.start()
    figures |= read_until("while deleting", search, queries, alive, lambda: not deleting.is_alive())
    rebalancing = threading.Thread(target=searcher.rebalance)
    ticks = [time.perf_counter()]
    rebalancing.start()
    while rebalancing.is_alive():
        ticks.append(time.perf_counter())
        time.sleep(0.001)
    ticks.append(time.perf_counter())
    figures["rebalance seconds"] = ticks[-1] - ticks[0]
    figures["longest stop of other threads, rebalance, seconds"] = float(np.diff(ticks).max())
    figures["recall after rebalance"] = recall(search, vectors, alive, queries)
    for name, value in figures.items():
        print(f"{name:52} {value:12.4g}")
    for name, trap in TRAPS.items():
        print(f"{name:52} {trap()}")
    return figures


def clustered(rng: np.random.Generator, centres: Vectors, count: int) -> Vectors:
    """Unit vectors around centres of very different popularity."""
    weights = 1 / np.arange(1, len(centres) + 1)
    chosen = rng.choice(len(centres), count, p=weights / weights.sum())
    vectors = centres[chosen] + 0.5 * rng.standard_normal((count, DIMENSION))
    scaled: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def build(vectors: Vectors) -> Any:
    """A ScaNN searcher that can be written: one with ids."""
    importlib.import_module("recsys._tf")
    pybind = importlib.import_module("scann.scann_ops.py.scann_ops_pybind")
    leaves = int(len(vectors) ** 0.5)
    return (
        pybind.builder(vectors, K, "dot_product")
        .tree(leaves, leaves, training_sample_size=len(vectors), min_partition_size=1)
        .score_ah(2, anisotropic_quantization_threshold=0.2)
        .reorder(REORDER)
        .set_n_training_threads(1)
        .build(docids=list(range(len(vectors))))
    )


def reader(searcher: Any, leaves: int) -> Search:
    """A search of one query."""

    def search(query: Vectors) -> tuple[list[int], Vectors]:
        found, scores = searcher.search(query, K, REORDER, leaves)
        return list(found), scores

    return search


def recall(search: Search, vectors: Vectors, alive: Mask, queries: Vectors) -> float:
    """Share of the exact answer found; a deleted row is a miss."""
    rows = np.flatnonzero(alive)
    truth = ExactIndex.of(np.ascontiguousarray(vectors[rows])).search(queries, K)
    shares = [
        len(set(rows[best].tolist()) & set(search(query)[0])) / K
        for best, query in zip(truth.rows, queries)
    ]
    return float(np.mean(shares))


def read_until(
    name: str, search: Search, queries: Vectors, alive: Mask, is_over: Callable[[], bool]
) -> dict[str, float]:
    """Latency of single searches in microseconds, and hits that were deleted before the search."""
    seconds: list[float] = []
    deleted = 0
    while not is_over():
        query = queries[len(seconds) % len(queries)]
        before = alive.copy()
        began = time.perf_counter()
        found, _ = search(query)
        seconds.append(time.perf_counter() - began)
        deleted += int(np.count_nonzero(~before[found]))
    figures = {
        f"read p50, {name}, microseconds": float(np.median(seconds)) * 1e6,
        f"read p99, {name}, microseconds": float(np.percentile(seconds, 99)) * 1e6,
        f"longest read, {name}, milliseconds": float(np.max(seconds)) * 1e3,
    }
    return figures | ({f"deleted hits, {name}": float(deleted)} if deleted else {})


def time_limit(seconds: float) -> Callable[[], bool]:
    """Whether that number of seconds has passed."""
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() > end


def delete_some(searcher: Any, alive: Mask) -> None:
    """Delete rows at a fixed rate, one per call."""
    began = time.perf_counter()
    for position, row in enumerate(range(0, 2 * DELETES, 2)):
        time.sleep(max(0.0, began + position / DELETES_PER_SECOND - time.perf_counter()))
        searcher.delete([row])
        alive[row] = False


def same_id_twice() -> str:
    """Two rows, of which the map knows one: the other can never be deleted."""
    searcher = build(np.eye(64, DIMENSION, dtype=np.float32))
    searcher.upsert([64, 64], np.ones((2, DIMENSION), np.float32))
    return f"{searcher.size()} rows, {len(searcher.docid_to_id)} ids in the map"


def failing_upsert() -> str:
    """A vector of the wrong length: the list of ids has it, the index does not."""
    searcher = build(np.eye(64, DIMENSION, dtype=np.float32))
    try:
        searcher.upsert([64], np.ones((1, 3), np.float32))
    except RuntimeError as error:
        return f"{type(error).__name__}; {searcher.size()} rows, {len(searcher.docids)} ids"
    return "no error"


def failing_delete() -> str:
    """An unknown id after a known one: the list loses the known one, the index keeps it."""
    searcher = build(np.eye(64, DIMENSION, dtype=np.float32))
    try:
        searcher.delete([3, 999])
    except KeyError as error:
        return f"{type(error).__name__}; {searcher.size()} rows, {len(searcher.docids)} ids"
    return "no error"


TRAPS = {
    "same new id twice in one upsert": same_id_twice,
    "upsert that fails": failing_upsert,
    "delete of a known and an unknown id": failing_delete,
}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
