"""Speed at a recall: this engine and its peers in one process, each target and data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.index.data.datasets import DataSet
from benchmarks.index.data.truth import recalls
from benchmarks.index.measures.building import FILE
from benchmarks.index.measures.timing import Search, measure
from benchmarks.index.parts import data_set, index_folder
from benchmarks.index.peers.libraries import PEERS, Peer, Setting
from benchmarks.index.peers.search_tuning import TARGETS, Target
from recsys.ids import Rows, Vectors
from recsys.index import ExactConfig, Index, build_index, load_index

OURS, EXACT, NUMPY = "ours", "exact", "numpy"
Settings = Mapping[str, Mapping[str, Setting | None]]


def compare(work: Path, data: str, items: int, settings: Settings) -> dict[str, Any]:
    """Per target and index its recall, rates and latencies; ``settings`` per peer and target."""
    found = data_set(work, data, items)
    load = partial(index_folder, work, data, items)
    peers = {name: _load_peer(name, load(name) / FILE) for name in settings}
    ours = {
        recall: load_index(load(f"ours {recall}"), found.items)
        for recall in sorted({target.recall for target in TARGETS})
    }
    exact = build_index(found.items, ExactConfig())
    results = {}
    for target in TARGETS:
        searches = {
            OURS: partial(search_index, ours[target.recall]),
            EXACT: partial(search_index, exact),
            NUMPY: partial(search_numpy, found.items),
        }
        for name, chosen in settings.items():
            setting = chosen[target.name]
            if setting is not None:
                searches[name] = partial(search_peer, peers[name], setting)
        results[target.name] = _target(found, target, searches)
    return results


def exact_single(work: Path, data: str, items: int) -> dict[str, float]:
    """Median microseconds of one exact query, k = 10, in this engine and in plain numpy."""
    vectors = data_set(work, data, items)
    queries = np.array(vectors.array("queries"))[:200]
    exact = build_index(vectors.items, ExactConfig())
    searches: dict[str, Search] = {
        EXACT: partial(search_index, exact),
        NUMPY: partial(search_numpy, vectors.items),
    }
    measured = measure(searches, queries, 10, rounds=5)
    return {name: each["p50_us"] for name, each in measured.items()}


def search_index(index: Index, queries: Vectors, k: int) -> Rows:
    """Search in an index of this engine."""
    return index.search(queries, k).rows


def search_peer(peer: Peer, setting: Setting, queries: Vectors, k: int) -> Rows:
    """Search in a peer."""
    return peer.search(queries, k, setting)


def search_numpy(vectors: Vectors, queries: Vectors, k: int) -> Rows:
    """A product and ``argpartition``, one query or a hundred at a time."""
    return np.concatenate(list(_numpy_parts(vectors, queries, k)))


def _numpy_parts(vectors: Vectors, queries: Vectors, k: int) -> Iterable[Rows]:
    for start in range(0, len(queries), 100):
        part = queries[start : start + 100]
        scores = vectors @ part[0] if len(part) == 1 else part @ vectors.T
        scores = scores.reshape(len(part), -1)
        best = np.argpartition(scores, -k, axis=1)[:, -k:]
        order: Any = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
        yield np.take_along_axis(best, order, axis=1).astype(np.int32)


def _load_peer(name: str, path: Path) -> Peer:
    peer = PEERS[name]()
    peer.load(path)
    return peer


def _target(
    data: DataSet, target: Target, searches: Mapping[str, Search]
) -> dict[str, dict[str, float]]:
    queries, truth = data.array("queries"), data.answers("queries")
    results = measure(searches, queries, target.k)
    for name, search in searches.items():
        some = queries[:200] if name in (EXACT, NUMPY) else queries
        shares = recalls(data.items, some, search(some, target.k), truth, target.k)
        results[name]["recall"] = float(shares.mean())
    return results
