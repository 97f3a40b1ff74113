"""Exact top-100 for 100,000 queries over a million items, compared with the matrix product.

Run ``python -m benchmarks.evaluation`` with nothing else on the machine. Three parts, each in a
process of its own, on the same random unit vectors of 64 dimensions:

- ``limit``: the rate at which numpy multiplies square float32 matrices, the best of several;
- ``ours``: the exact index of this engine, all queries;
- ``tfrs``: TFRS' ``FactorizedTopK`` with its streaming layer, one batch of queries per size. Its
  rate depends on the numbers of candidates and queries per batch: the sizes of its own retrieval
  tutorial (``movies.batch(128)``, ``test.batch(4096)``) are compared with others.

Both must find the same items. Writes ``benchmarks/results/evaluation.json`` with the rate of every
size: ``speed_over_tfrs`` compares with the tutorial's sizes, ``speed_over_tfrs_at_its_best`` with
the fastest, and ``limit_over_tfrs_at_its_best`` compares the limit with the fastest. The targets:
60% of the limit within 4 GiB, and ten times as fast as TFRS.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.processes import answer_request, peak_gib, run_process
from recsys.evaluation.record import write_record
from recsys.ids import Vectors
from recsys.tuning.cached import Result, cached_result

RESULT, RUNS = Path("benchmarks/results/evaluation.json"), Path("runs/evaluation-benchmark")
ITEMS, QUERIES, DIMENSION, K, SEED = 1_000_000, 100_000, 64, 100, 1
COMPARED = 64
TUTORIAL = (128, 4_096)
SIZES = (
    TUTORIAL,
    *((1_024, 256), (16_384, 256), (16_384, 4_096), (131_072, 256), (131_072, 1_024)),
)
"""Numbers of candidates and queries per batch of TFRS; larger ones need gigabytes of scores."""


def main() -> None:
    """Measure the parts, write and print the figures."""
    parts = {part: _part(part) for part in PARTS}
    figures, rates = figures_of(**parts), parts["tfrs"]["rates"]
    write_record(
        RESULT,
        name="evaluation",
        command="python -m benchmarks.evaluation",
        seeds=[SEED],
        figures=figures,
        tfrs_queries_per_second=rates,
    )
    for name, value in {**figures, **rates}.items():
        print(f"{name:40} {value:,.3f}")
    shutil.rmtree(RUNS)


def _part(name: str) -> Result:
    def compute(folder: Path) -> Result:
        print(f"{name}: its progress is in {folder}", file=sys.stderr, flush=True)
        return run_process("benchmarks.evaluation", {"part": name}, folder)

    return cached_result(RUNS, name=name, depends_on=None, compute=compute)


def figures_of(
    limit: Mapping[str, Any], ours: Mapping[str, Any], tfrs: Mapping[str, Any]
) -> dict[str, float]:
    """Figures of the record, from the results of the parts."""
    flops_per_query = 2 * ITEMS * DIMENSION
    rate, rates = QUERIES / ours["seconds"], tfrs["rates"]
    tutorial, best = rates[_name(TUTORIAL)], max(rates.values())
    same = [set(own) == set(other) for own, other in zip(ours["found"], tfrs["found"])]
    return {
        "sgemm_gflops": limit["gflops"],
        "gflops": rate * flops_per_query / 1e9,
        "share_of_sgemm": rate * flops_per_query / 1e9 / limit["gflops"],
        "seconds": ours["seconds"],
        "peak_gib": ours["peak_gib"],
        "queries_per_second": rate,
        "tfrs.queries_per_second": tutorial,
        "tfrs.queries_per_second_at_its_best": best,
        "tfrs.peak_gib": tfrs["peak_gib"],
        "speed_over_tfrs": rate / tutorial,
        "speed_over_tfrs_at_its_best": rate / best,
        "limit_over_tfrs_at_its_best": limit["gflops"] * 1e9 / flops_per_query / best,
        "same_items_as_tfrs": float(np.mean(same)),
    }


def limit() -> dict[str, Any]:
    """Rate of square matrix products in 10^9 float32 operations per second."""
    rates = []
    for size in (2048, 4096):
        left, right = np.random.default_rng(SEED).random((2, size, size), np.float32)
        for _ in range(4):
            start = time.perf_counter()
            left @ right
            rates.append(2 * size**3 / (time.perf_counter() - start) / 1e9)
    return {"gflops": max(rates)}


def ours() -> dict[str, Any]:
    """Search of all queries in the exact index."""
    from recsys.index import ExactConfig, build_index

    items, queries = vectors()
    index = build_index(items, ExactConfig())
    index.search(queries[:COMPARED], K)
    start = time.perf_counter()
    hits = index.search(queries, K)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "peak_gib": peak_gib(), "found": hits.rows[:COMPARED].tolist()}


def tfrs() -> dict[str, Any]:
    """One batch of queries per size through TFRS' metric, as its own tutorial builds it."""
    from recsys._tf import compiled, tf, tfrs

    items, queries = vectors()
    rates, found = {}, None
    for candidates, size in SIZES:
        batches = tf.data.Dataset.from_tensor_slices(items).batch(candidates)
        layer = tfrs.layers.factorized_top_k.Streaming(k=K)
        layer = layer.index_from_dataset(batches)
        metric = tfrs.metrics.FactorizedTopK(candidates=layer, ks=(K,))

        # One trace for any number of queries, and one query before the clock starts.
        @compiled(input_signature=2 * [tf.TensorSpec([None, DIMENSION])])
        def update(query: Any, true: Any) -> None:
            metric.update_state(query, true)  # noqa: B023, called in this iteration only

        both = [tf.constant(each[:size]) for each in (queries, items)]
        update(*(each[:1] for each in both))
        start = time.perf_counter()
        update(*both)
        rates[_name((candidates, size))] = size / (time.perf_counter() - start)
        if found is None:
            found = compiled(layer)(both[0][:COMPARED])[1].numpy().tolist()
    return {"rates": rates, "found": found, "peak_gib": peak_gib()}


def vectors() -> tuple[Vectors, Vectors]:
    """Items and queries on the unit sphere."""
    rng = np.random.default_rng(SEED)
    both = [rng.standard_normal((size, DIMENSION), np.float32) for size in (ITEMS, QUERIES)]
    for each in both:
        each /= np.linalg.norm(each, axis=1, keepdims=True)
    return both[0], both[1]


def _name(size: tuple[int, int]) -> str:
    return f"{size[0]} candidates x {size[1]} queries"


PARTS: Mapping[str, Callable[[], dict[str, Any]]] = {"limit": limit, "ours": ours, "tfrs": tfrs}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        answer_request(lambda request: PARTS[request["part"]]())
    else:
        main()
