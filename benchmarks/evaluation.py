"""Exact top-100 for 100,000 queries over a million items: how near to the matrix product it is.

Run ``python -m benchmarks.evaluation`` with nothing else on the machine. Three things in one run,
each in a process of its own, on the same random unit vectors of 64 dimensions:

- the limit: what numpy multiplies square float32 matrices at, the best of some;
- the exact index of this engine, all queries;
- TFRS' ``FactorizedTopK`` with its streaming layer, on a share of the queries, since its time grows
  with their number. What it reaches depends on how many candidates and how many queries it takes
  at once: the sizes that its own retrieval tutorial uses (``movies.batch(128)``,
  ``test.batch(4096)``) stand beside others.

Both must find the same items. Writes ``benchmarks/results/evaluation.json``, with every size's
rate. ``speed_over_tfrs`` is over the sizes of its tutorial, ``speed_over_tfrs_at_its_best`` over
the fastest of all sizes, and ``limit_over_tfrs_at_its_best`` what a search at the whole of the
limit would be over that. The promise: 60% of the limit within 4 GiB, and ten times as fast as TFRS.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.apart import apart, kept
from benchmarks.memory import peak_mb
from recsys.evaluation.record import write_record
from recsys.ids import Vectors

RESULT, KEPT = Path("benchmarks/results/evaluation.json"), Path("runs/evaluation-benchmark")
ITEMS, QUERIES, DIMENSION, K, SEED = 1_000_000, 100_000, 64, 100, 1
COMPARED = 64
TUTORIAL = (128, 4_096)
SIZES = (
    TUTORIAL,
    *((1_024, 256), (16_384, 256), (16_384, 4_096), (131_072, 256), (131_072, 1_024)),
)
"""Candidates and queries that TFRS takes at once; more of both would be gigabytes of scores."""


def main() -> None:
    """Measure each, hold them beside each other, write and print."""
    parts = {
        part: kept(KEPT, part, partial(apart, "benchmarks.evaluation", part)) for part in PARTS
    }
    figures, rates = figures_of(**parts), parts["tfrs"]["rates"]
    write_record(
        RESULT,
        name="evaluation",
        command="python -m benchmarks.evaluation",
        seeds=[SEED],
        figures=figures,
        tfrs_queries_per_second=rates,
    )
    table = Table("figure", "", show_header=False)
    for name, value in figures.items():
        table.add_row(name, f"{value:,.3f}")
    for name, rate in rates.items():
        table.add_row(f"tfrs.queries_per_second, {name}", f"{rate:,.3f}")
    Console().print(table)
    shutil.rmtree(KEPT)


def figures_of(
    limit: Mapping[str, Any], ours: Mapping[str, Any], tfrs: Mapping[str, Any]
) -> dict[str, float]:
    """What the three parts come to beside each other."""
    flops = 2 * ITEMS * DIMENSION  # of a query
    rate, rates = QUERIES / ours["seconds"], tfrs["rates"]
    tutorial, best = rates[_name(TUTORIAL)], max(rates.values())
    same = [set(mine) == set(theirs) for mine, theirs in zip(ours["found"], tfrs["found"])]
    return {
        "sgemm_gflops": limit["gflops"],
        "gflops": rate * flops / 1e9,
        "share_of_sgemm": rate * flops / 1e9 / limit["gflops"],
        "seconds": ours["seconds"],
        "peak_gib": ours["peak_gib"],
        "queries_per_second": rate,
        "tfrs.queries_per_second": tutorial,
        "tfrs.queries_per_second_at_its_best": best,
        "tfrs.peak_gib": tfrs["peak_gib"],
        "speed_over_tfrs": rate / tutorial,
        "speed_over_tfrs_at_its_best": rate / best,
        "limit_over_tfrs_at_its_best": limit["gflops"] * 1e9 / flops / best,
        "same_items_as_tfrs": float(np.mean(same)),
    }


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
    """One batch of queries of each size through TFRS' metric, as its own tutorial builds it."""
    from recsys._tf import tf, tfrs

    items, queries = vectors()
    rates, found = {}, None
    for candidates, asked in SIZES:
        batches = tf.data.Dataset.from_tensor_slices(items).batch(candidates)
        layer = tfrs.layers.factorized_top_k.Streaming(k=K)
        layer = layer.index_from_dataset(batches)
        metric = tfrs.metrics.FactorizedTopK(candidates=layer, ks=(K,))

        # One trace for any number of queries, and one query before the clock starts.
        @tf.function(input_signature=2 * [tf.TensorSpec([None, DIMENSION])])
        def update(asked: Any, true: Any) -> None:
            metric.update_state(asked, true)  # noqa: B023, called in this turn alone

        both = [tf.constant(each[:asked]) for each in (queries, items)]
        update(*(each[:1] for each in both))
        began = time.perf_counter()
        update(*both)
        rates[_name((candidates, asked))] = asked / (time.perf_counter() - began)
        if found is None:
            found = layer(both[0][:COMPARED])[1].numpy().tolist()
    return {"rates": rates, "found": found, "peak_gib": peak_mb() / 1024}


def _name(size: tuple[int, int]) -> str:
    return f"{size[0]} candidates x {size[1]} queries"


PARTS: Mapping[str, Callable[[], dict[str, Any]]] = {"limit": limit, "ours": ours, "tfrs": tfrs}


def vectors() -> tuple[Vectors, Vectors]:
    """Items and queries, on the unit sphere."""
    rng = np.random.default_rng(SEED)
    both = [rng.standard_normal((size, DIMENSION), np.float32) for size in (ITEMS, QUERIES)]
    for each in both:
        each /= np.linalg.norm(each, axis=1, keepdims=True)
    return both[0], both[1]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(PARTS[sys.argv[1]]()))
    else:
        main()
