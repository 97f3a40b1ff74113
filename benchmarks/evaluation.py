"""Exact top-100 for 100,000 queries over a million items: how near to the matrix product it is.

Run ``python -m benchmarks.evaluation`` with nothing else on the machine. Three things in one run,
each in a process of its own, on the same random unit vectors of 64 dimensions:

- the limit: what numpy multiplies square float32 matrices at, the best of some;
- the exact index of this engine, all queries;
- TFRS' ``FactorizedTopK`` with its streaming layer, the size of its batches of candidates chosen by
  the fastest of some; on a share of the queries, since its time grows with their number.

Both must find the same items. Writes ``benchmarks/results/evaluation.json``. The promise: 60% of
the limit within 4 GiB, and ten times as fast as TFRS.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.memory import peak_mb
from recsys.evaluation.record import write_record
from recsys.ids import Vectors

RESULT = Path("benchmarks/results/evaluation.json")
ITEMS, QUERIES, DIMENSION, K, SEED = 1_000_000, 100_000, 64, 100, 1
ASKED_OF_TFRS, COMPARED = 256, 64
CANDIDATE_BATCHES = (1_024, 16_384, 131_072)


def main() -> None:
    """Measure each, hold them beside each other, write and print."""
    limit, ours, tfrs = (_apart(part) for part in PARTS)
    rate = 2 * QUERIES * ITEMS * DIMENSION / ours["seconds"] / 1e9
    same = [set(mine) == set(theirs) for mine, theirs in zip(ours["found"], tfrs["found"])]
    figures = {
        "sgemm_gflops": limit["gflops"],
        "gflops": rate,
        "share_of_sgemm": rate / limit["gflops"],
        "seconds": ours["seconds"],
        "peak_gib": ours["peak_gib"],
        "queries_per_second": QUERIES / ours["seconds"],
        "tfrs.queries_per_second": tfrs["rate"],
        "tfrs.candidate_batch": tfrs["batch"],
        "tfrs.peak_gib": tfrs["peak_gib"],
        "speed_over_tfrs": QUERIES / ours["seconds"] / tfrs["rate"],
        "same_items_as_tfrs": float(np.mean(same)),
    }
    write_record(
        RESULT,
        name="evaluation",
        command="python -m benchmarks.evaluation",
        seeds=[SEED],
        figures=figures,
        asked_of_tfrs=ASKED_OF_TFRS,
        tfrs_by_candidate_batch=tfrs["rates"],
    )
    table = Table("figure", "", show_header=False)
    for name, value in figures.items():
        table.add_row(name, f"{value:,.3f}")
    Console().print(table)


def limit() -> dict[str, Any]:
    """The rate of square products, in 10^9 float32 operations a second."""
    rates = []
    for size in (2048, 4096):
        left, right = np.random.default_rng(SEED).random((2, size, size), np.float32)
        for _ in range(4):
            began = time.perf_counter()
            left @ right
            rates.append(2 * size**3 / (time.perf_counter() - began) / 1e9)
    return {"gflops": max(rates)}


def ours() -> dict[str, Any]:
    """All queries through the exact index."""
    from recsys.index import ExactConfig, build_index

    items, queries = vectors()
    index = build_index(items, ExactConfig())
    index.search(queries[:COMPARED], K)
    began = time.perf_counter()
    hits = index.search(queries, K)
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "peak_gib": peak_mb() / 1024,
        "found": hits.rows[:COMPARED].tolist(),
    }


def tfrs() -> dict[str, Any]:
    """A share of the queries through TFRS' metric, as its own retrieval tutorial builds it."""
    from recsys._tf import tf, tfrs

    items, queries = vectors()
    asked, true = queries[:ASKED_OF_TFRS], items[:ASKED_OF_TFRS]
    rates, found = {}, None
    for batch in CANDIDATE_BATCHES:
        candidates = tf.data.Dataset.from_tensor_slices(items).batch(batch)
        layer = tfrs.layers.factorized_top_k.Streaming(k=K)
        layer = layer.index_from_dataset(candidates)
        metric = tfrs.metrics.FactorizedTopK(candidates=layer, ks=(K,))

        @tf.function
        def update(asked: Any, true: Any, metric: Any = metric) -> None:
            metric.update_state(asked, true)

        update(tf.constant(asked[:1]), tf.constant(true[:1]))
        began = time.perf_counter()
        update(tf.constant(asked), tf.constant(true))
        rates[batch] = len(asked) / (time.perf_counter() - began)
        if found is None:
            found = layer(tf.constant(asked[:COMPARED]))[1].numpy().tolist()
    best = max(rates, key=rates.__getitem__)
    return {
        "rate": rates[best],
        "batch": best,
        "rates": {str(batch): rate for batch, rate in rates.items()},
        "found": found,
        "peak_gib": peak_mb() / 1024,
    }


PARTS: Mapping[str, Callable[[], dict[str, Any]]] = {"limit": limit, "ours": ours, "tfrs": tfrs}


def vectors() -> tuple[Vectors, Vectors]:
    """Items and queries, on the unit sphere."""
    rng = np.random.default_rng(SEED)
    both = [rng.standard_normal((size, DIMENSION), np.float32) for size in (ITEMS, QUERIES)]
    for each in both:
        each /= np.linalg.norm(each, axis=1, keepdims=True)
    return both[0], both[1]


def _apart(part: str) -> dict[str, Any]:
    """One part in a process of its own, so that none is in the other's memory or threads."""
    command = [sys.executable, "-m", "benchmarks.evaluation", part]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(PARTS[sys.argv[1]]()))
    else:
        main()
