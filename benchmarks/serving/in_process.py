"""The parts of the limit, in this process: raw ScaNN, the query tower, and the retriever itself.

Run as ``python -m benchmarks.serving.in_process BUNDLES ITEMS`` on the core of the server; prints
one JSON object of seconds per query.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.serving.world import LEAVES, REORDER, K, requests
from recsys.bundle import open_bundle
from recsys.retrieval import TWO_TOWER
from recsys.towers import QueryBatch
from recsys_client.convert import read_request, response_bytes
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb

BATCH, ROUNDS = 64, 15


def main(bundles: Path, items: int) -> dict[str, float]:
    """Seconds per query of each part, and the recall of both searches."""
    retriever: Any = open_bundle(bundles, "current").retriever
    rng = np.random.default_rng(5)
    histories = [rng.integers(items, size=50).astype(np.int32) for _ in range(BATCH)]
    batch = QueryBatch.of(histories)
    queries = retriever.towers.encode(batch)
    index = retriever.spaces[TWO_TOWER].index
    vectors = np.asarray(index.vectors)
    true = np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :K]
    ours = index.search(queries, K).rows
    target = _recall(ours, true)
    raw, leaves = _raw(vectors), 2
    while _recall(raw(queries, leaves), true) < target and leaves < 1_000:
        leaves += 2  # until it finds as much
    figures = {
        "recall": target,
        "raw_recall": _recall(raw(queries, leaves), true),
        "raw_leaves": float(leaves),
        "raw_scann_s": _best(lambda: raw(queries, leaves)) / BATCH,
        "index_s": _best(lambda: index.search(queries, K)) / BATCH,
        "tower_s": _best(lambda: retriever.towers.encode(batch)) / BATCH,
    }
    for kind in ("user", "history", "item"):
        figures |= _by_kind(retriever, kind, items)
    return figures


def _by_kind(retriever: Any, kind: str, items: int) -> dict[str, float]:
    """Seconds per query in the retriever, and to read its request and write its response."""
    raws = islice(requests(kind, items, seed=9), BATCH)
    messages = [pb.RetrieveRequest.FromString(each) for each in raws]
    some = [read_request(each) for each in messages]
    answers = retriever.answer_in_columns(some)

    def write() -> list[bytes]:
        return [response_bytes(each) for each in answers]

    return {
        f"retriever_{kind}_s": _best(lambda: retriever.answer_in_columns(some)) / BATCH,
        f"read_{kind}_s": _best(lambda: [read_request(each) for each in messages]) / BATCH,
        "write_s": _best(write) / BATCH,
        "response_bytes": float(len(write()[0])),
    }


def _raw(vectors: Any) -> Callable[[Any, int], Any]:
    """ScaNN without anything around it."""
    import scann

    leaves = int(len(vectors) ** 0.5)
    searcher = (
        scann.scann_ops_pybind.builder(vectors, K, "dot_product")
        .tree(leaves, LEAVES, training_sample_size=min(len(vectors), 100_000))
        .score_ah(2, anisotropic_quantization_threshold=0.2)
        .reorder(REORDER)
        .build()
    )
    return lambda queries, count: searcher.search_batched(
        queries, leaves_to_search=count, pre_reorder_num_neighbors=REORDER
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
