"""Bytes, recall and speed of each storage of the vectors of a ScaNN index.

Run ``python -m benchmarks.storage`` on an idle machine: 100,000 clustered vectors of 64 dimensions,
the same settings of the search for each storage.
Each index is saved and opened by a process of its own, which answers all queries once and then
states its resident memory beyond that of the libraries: ``mapped`` is backed by files and shared
between processes, ``anonymous`` is not. Recall is that of an exact search of the stored numbers
against the float32 vectors. Writes ``benchmarks/results/storage.json``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console

from recsys.evaluation.record import write_record
from recsys.ids import Vectors
from recsys.index import ExactIndex, ScannConfig, build_index, load_index
from recsys.index.storage import Storage, StoredVectors, load_vectors, save_vectors

RESULT = Path("benchmarks/results/storage.json")
STORAGES: tuple[Storage, ...] = ("float32", "bfloat16", "int8")
ITEMS, QUERIES, DIMENSION, CLUSTERS, SEED, ROUNDS = 100_000, 1_000, 64, 1_000, 1, 5
SEARCH = ScannConfig(num_leaves=400, leaves_to_search=20, reorder=200, training_rows=10_000)
QUERY_FILE = "queries.npy"


def main() -> dict[str, float]:
    """Build, measure, write and print; the figures."""
    vectors, queries = clustered(ITEMS + QUERIES)[:ITEMS], clustered(ITEMS + QUERIES)[ITEMS:]
    truth = ExactIndex.of(vectors).search(queries, 100).rows
    figures: dict[str, float] = {}
    for storage in STORAGES:
        index = build_index(vectors, SEARCH.model_copy(update={"storage": storage}))
        stored = index.exact.search(queries, 100).rows
        for k in (10, 100):
            shares = [np.isin(*pair).mean() for pair in zip(truth[:, :k], stored[:, :k])]
            figures[f"{storage}.recall@{k}"] = float(np.mean(shares))
        stated = dict(index.facts["bytes_per_item"])
        figures[f"{storage}.stated_bytes"] = sum(stated.values())
        figures |= {f"{storage}.stated_bytes.{name}": size for name, size in stated.items()}
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            save_vectors(folder, index.vectors)
            index.save(folder / "index")
            np.save(folder / QUERY_FILE, queries)
            command = [sys.executable, "-m", "benchmarks.storage", name]
            answer = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            measured = json.loads(answer.stdout)
        figures |= {f"{storage}.{key}": value for key, value in measured.items()}
    write_record(
        RESULT,
        name="storage",
        command="python -m benchmarks.storage",
        seeds=[SEED],
        figures=figures,
        items=ITEMS,
        dimension=DIMENSION,
        queries=QUERIES,
    )
    Console().print({name: round(value, 4) for name, value in figures.items()})
    return figures


def clustered(count: int) -> Vectors:
    """Unit vectors around centres."""
    rng = np.random.default_rng(SEED)
    centres = rng.standard_normal((CLUSTERS, DIMENSION))
    noise = 0.6 * rng.standard_normal((count, DIMENSION))
    vectors = centres[rng.integers(CLUSTERS, size=count)] + noise
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def measure(folder: Path) -> dict[str, float]:
    """Memory per item of a process that opens an index, and queries per second in a batch."""
    queries, vectors = np.load(folder / QUERY_FILE), load_vectors(folder)
    storage = vectors.storage if isinstance(vectors, StoredVectors) else "float32"
    small = {"storage": storage, "num_leaves": 10, "brute_force_below": 16}
    build_index(queries[:100], SEARCH.model_copy(update=small)).search(queries, 10)  # compiles
    before = _resident()
    index = load_index(folder / "index", vectors)
    index.search(queries, 10)
    after = _resident()
    items = len(index)
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        index.search(queries, 10)
        best = min(best, time.perf_counter() - start)
    memory = {f"{kind}_bytes": (after[kind] - before[kind]) / items for kind in after}
    return {**memory, "queries_per_second": len(queries) / best}


def _resident() -> dict[str, int]:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    kinds = {"anonymous": "RssAnon", "mapped": "RssFile"}
    found = {name: re.search(rf"^{kind}:\s+(\d+) kB", status, re.M) for name, kind in kinds.items()}
    return {name: 1024 * int(match[1]) for name, match in found.items() if match}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(Path(sys.argv[1]))))
    else:
        main()
