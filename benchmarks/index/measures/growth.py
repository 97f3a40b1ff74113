"""Growth with the number of rows: build, size and speed at recall@10 of .95."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.index.data.truth import recalls
from benchmarks.index.measures.building import (
    FILE,
    anonymous_bytes,
    mapped_bytes,
    status_bytes,
)
from benchmarks.index.measures.speed import search_index, search_peer
from benchmarks.index.measures.timing import measure
from benchmarks.index.parts import data_set, index_folder
from benchmarks.index.peers.libraries import PEERS, Setting
from recsys.index import ScannConfig, build_index, load_index

SIZES, TARGET, K = (10_000, 100_000, 1_000_000, 10_000_000), 0.95, 10
PEER, PEER_LIMIT = "hnswlib", 1_000_000
"""The peer on the same plot, and its largest number of rows."""


def build(work: Path, data: str, items: int) -> dict[str, Any]:
    """Build over vectors that stay in their file; CPU seconds and peak memory."""
    found = data_set(work, data, items)
    queries = np.array(found.array("tuning"))
    started = time.process_time()
    index = build_index(found.items, ScannConfig(target_recall=TARGET), queries=queries)
    seconds = time.process_time() - started
    index.save(index_folder(work, data, items, "growth"))
    return {"build_seconds": seconds, "peak_bytes": status_bytes("VmHWM")}


def serve(work: Path, data: str, items: int) -> dict[str, Any]:
    """Load and search the built index; recall, rates, latencies and memory."""
    found = data_set(work, data, items)
    queries, truth = np.array(found.array("queries")), found.answers("queries")
    small = build_index(found.items[:2_000].copy(), ScannConfig(target_recall=0.5))
    small.search(queries, K)
    before = anonymous_bytes()
    index = load_index(index_folder(work, data, items, "growth"), found.items)
    hits = index.search(queries, K)
    occupied = anonymous_bytes() - before + mapped_bytes(index)
    shares = recalls(found.items, queries, hits.rows, truth, K)
    figures = measure({"ours": partial(search_index, index)}, queries, K)["ours"]
    return {
        **figures,
        "recall": float(shares.mean()),
        "memory_bytes": occupied,
        "vectors_bytes": found.items.nbytes,
        "peak_bytes": status_bytes("VmHWM"),
    }


def serve_peer(work: Path, data: str, items: int, setting: Setting) -> dict[str, Any]:
    """Recall and rates of the peer with a setting."""
    found, peer = data_set(work, data, items), PEERS[PEER]()
    peer.load(index_folder(work, data, items, PEER) / FILE)
    queries, truth = found.array("queries"), found.answers("queries")
    search = partial(search_peer, peer, setting)
    shares = recalls(found.items, queries, search(queries, K), truth, K)
    return {**measure({PEER: search}, queries, K)[PEER], "recall": float(shares.mean())}
