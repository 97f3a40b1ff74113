"""The parts of the limit, in this process: raw ScaNN, the query tower, and the retriever itself.

Run as ``python -m benchmarks.serving.in_process BUNDLES ITEMS`` on the core of the server; prints
one JSON object of seconds per query.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.serving.world import K, num_leaves, requests
from recsys.bundle import open_bundle
from recsys.retrieval import TWO_TOWER
from recsys.towers import QueryBatch
from recsys_client.convert import read_request
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_server.response_bytes import response_bytes

BATCH, ROUNDS = 64, 15
REORDERS = (200, 400, 800, 1_600, 3_200)
"""Numbers of candidates that raw ScaNN reorders, of which the fastest is compared."""


def main(bundles: Path, items: int) -> dict[str, float]:
    """Seconds per query of each part, and the recall of both searches."""
    retriever: Any = open_bundle(bundles, "current").retriever
    index = retriever.spaces[TWO_TOWER].index
    vectors = np.asarray(index.vectors)
    some = [
        pb.RetrieveRequest.FromString(raw)
        for raw in islice(requests("history", items, seed=5), BATCH)
    ]
    ids = retriever.catalogue.ids
    batch = QueryBatch.of([ids.rows(each.query.history.item_ids) for each in some])
    figures = {"tower_s": _best(lambda: retriever.towers.encode(batch)) / BATCH}
    rows = np.random.default_rng(5).integers(items, size=BATCH)
    search = _raw(vectors)
    for kind, queries in (("history", retriever.towers.encode(batch)), ("item", vectors[rows])):
        true = np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :K]
        recall = _recall(index.search(queries, K).rows, true)
        figures |= {
            f"recall.{kind}": recall,
            f"index_s.{kind}": _best(partial(index.search, queries, K)) / BATCH,
        }
        found = _fastest(search, queries, true, recall, num_leaves(items))
        figures |= {f"raw_{name}.{kind}": value for name, value in found.items()}
    for kind in ("user", "history", "item"):
        figures |= _by_kind(retriever, kind, items)
    return figures


def _fastest(
    search: Callable[[Any, int, int], Any], queries: Any, true: Any, target: float, most: int
) -> dict[str, float]:
    """Settings of raw ScaNN with at least this recall that take the least time."""
    found = []
    for reorder in REORDERS:
        leaves = 4
        while _recall(search(queries, leaves, reorder), true) < target and leaves < most:
            leaves = min(most, math.ceil(1.15 * leaves))
        recall = _recall(search(queries, leaves, reorder), true)
        if recall >= target:
            seconds = _best(partial(search, queries, leaves, reorder)) / BATCH
            found.append((seconds, recall, leaves, reorder))
    seconds, recall, leaves, reorder = min(found)
    return {"scann_s": seconds, "recall": recall, "leaves": leaves, "reorder": reorder}


def _by_kind(retriever: Any, kind: str, items: int) -> dict[str, float]:
    """Seconds per query in the retriever, and to read its request and write its response.

    The retriever's are the mean over batches of new queries, as the service answers them.
    """
    raws = requests(kind, items, seed=9)
    messages = [pb.RetrieveRequest.FromString(each) for each in islice(raws, BATCH)]
    some = [read_request(each) for each in messages]
    answers = retriever.answer_in_columns(some)
    seconds = 0.0
    for _ in range(ROUNDS):
        new = [read_request(pb.RetrieveRequest.FromString(each)) for each in islice(raws, BATCH)]
        began = time.perf_counter()
        retriever.answer_in_columns(new)
        seconds += time.perf_counter() - began

    def write() -> list[bytes]:
        return [response_bytes(each) for each in answers]

    return {
        f"retriever_{kind}_s": seconds / ROUNDS / BATCH,
        f"read_{kind}_s": _best(lambda: [read_request(each) for each in messages]) / BATCH,
        "write_s": _best(write) / BATCH,
        "response_bytes": float(len(write()[0])),
    }


def _raw(vectors: Any) -> Callable[[Any, int, int], Any]:
    """ScaNN without anything around it."""
    import scann

    searcher = (
        scann.scann_ops_pybind.builder(vectors, K, "dot_product")
        .tree(num_leaves(len(vectors)), 1, training_sample_size=min(len(vectors), 100_000))
        .score_ah(2, anisotropic_quantization_threshold=0.2)
        .reorder(REORDERS[0])
        .build()
    )
    return lambda queries, leaves, reorder: searcher.search_batched(
        queries, leaves_to_search=leaves, pre_reorder_num_neighbors=reorder
    )[0]


def _recall(found: Any, true: Any) -> float:
    pairs = zip(found.tolist(), true.tolist())
    return float(np.mean([len({*one} & {*two}) / K for one, two in pairs]))


def _best(work: Callable[[], object]) -> float:
    """Least seconds of several rounds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]))))
