"""Filtered search: recall and latency of this engine and of the peers that have filters."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.index.data.datasets import DataSet
from benchmarks.index.data.filter_sets import Filter, filters
from benchmarks.index.data.truth import Answers, exact_answers, recalls
from benchmarks.index.measures.building import FILE
from benchmarks.index.measures.timing import Search, seconds_per_query
from benchmarks.index.parts import data_set, index_folder
from benchmarks.index.peers.libraries import PEERS, Peer, Setting
from recsys.ids import Rows, Vectors
from recsys.index import ExactConfig, Index, build_index, load_index
from recsys.index.rows import RowSet

CUTOFFS = (10, 100)
_SECONDS = 2.0
"""About the longest time for one filter of one peer, or of exact search."""
Settings = Mapping[str, Mapping[str, Setting]]


def ours(work: Path, data: str, items: int, targets: Sequence[float], count: int) -> dict[str, Any]:
    """Per target and cell, "filter, k": recall, latency, those of unfiltered and exact search."""
    found = data_set(work, data, items)
    indexes = {
        target: load_index(index_folder(work, data, items, f"ours {target}"), found.items)
        for target in targets
    }
    cells: dict[str, Any] = {f"ours {target}": {} for target in targets}
    for name, parts in filters(found, count):
        trials = [Trial.of(found, part) for part in parts]
        for target, index in indexes.items():
            for k in CUTOFFS:
                cells[f"ours {target}"][f"{name}, {k}"] = _cell(index, trials, k)
    return cells


def peers(work: Path, data: str, items: int, settings: Settings, count: int) -> dict[str, Any]:
    """Per peer and cell its recall and latency; ``settings`` per peer and cutoff."""
    found, loaded = data_set(work, data, items), {}
    for name in settings:
        loaded[name] = PEERS[name]()
        loaded[name].load(index_folder(work, data, items, name) / FILE)
    results: dict[str, Any] = {name: {} for name in settings}
    for filter_name, parts in filters(found, count):
        trials = [Trial.of(found, part) for part in parts]
        for name, peer in loaded.items():
            for k in CUTOFFS:
                cell = _peer_cell(peer, settings[name][str(k)], trials, k)
                results[name][f"{filter_name}, {k}"] = cell
    return results


@dataclass(frozen=True)
class Trial:
    """A filter with the vectors of its queries and their exact answers.

    Attributes:
        items: All vectors.
        eligible: Rows that may be found.
        queries: Query vectors.
        truth: Exact answers among the eligible rows.
        exact: Exact index of the eligible rows alone.
    """

    items: Vectors
    eligible: RowSet
    queries: Vectors
    truth: Answers
    exact: Index

    @classmethod
    def of(cls, data: DataSet, part: Filter) -> Trial:
        """A filter and its exact answers."""
        rows, queries = part.eligible.rows, data.array("queries")[part.queries]
        truth = exact_answers(data.items, queries, CUTOFFS[-1], rows)
        exact = build_index(data.items[rows], ExactConfig())
        return cls(data.items, part.eligible, queries, truth, exact)

    def recalls(self, found: Rows, k: int) -> Vectors:
        """Recall of the first queries, of which ``found`` are the rows."""
        return recalls(self.items, self.queries[: len(found)], found, self.truth, k)


def _cell(index: Index, trials: Sequence[Trial], k: int) -> dict[str, Any]:
    shares, times, first, short = [], [], [], 0
    for trial in trials:
        filtered = partial(_filtered, index, trial.eligible)
        first.append(float(seconds_per_query(filtered, trial.queries[:1], k)[0]))
        hits = index.search(trial.queries, k, allowed=trial.eligible)
        shares.append(trial.recalls(np.where(hits.valid, hits.rows, -1), k))
        short += int(np.count_nonzero(hits.valid.sum(axis=1) < min(k, len(trial.eligible))))
        searches = (filtered, index.search, trial.exact.search)
        times.append(alternating(searches, trial.queries, k))
    recall = np.concatenate(shares)
    figures: dict[str, Any] = {
        "eligible": [len(trial.eligible) for trial in trials],
        "recall": float(recall.mean()),
        "worst_recall": float(recall.min()),
        "short": short,
        "first_ms": max(first) * 1e3,
    }
    for name, seconds in zip(("ours", "unfiltered", "exact"), zip(*times)):
        figures[f"{name}_p50_us"] = float(np.median(np.concatenate(seconds))) * 1e6
        figures[f"{name}_p99_us"] = float(np.percentile(np.concatenate(seconds), 99)) * 1e6
    for percentile in ("p50", "p99"):
        better = min(figures[f"{name}_{percentile}_us"] for name in ("unfiltered", "exact"))
        figures[f"{percentile}_ratio"] = figures[f"ours_{percentile}_us"] / better
    return figures


def _filtered(index: Index, eligible: RowSet, queries: Vectors, k: int) -> Any:
    return index.search(queries, k, allowed=eligible)


def alternating(searches: Sequence[Search], queries: Vectors, k: int) -> list[Any]:
    """Seconds per query of each search; the searches take turns.

    Each is at another query, since a search is faster right after another one of the same query,
    whose leaves and vectors are in the caches. A search stops when it has taken ``_SECONDS``, after
    at least ten queries.
    """
    seconds: list[list[float]] = [[] for _ in searches]
    for position in range(len(queries)):
        for number, (search, own) in enumerate(zip(searches, seconds)):
            at = (position + number * len(queries) // len(searches)) % len(queries)
            if position < 10 or sum(own) < _SECONDS:
                own.append(float(seconds_per_query(search, queries[at : at + 1], k)[0]))
    return [np.array(own) for own in seconds]


def _peer_cell(peer: Peer, setting: Setting, trials: Sequence[Trial], k: int) -> dict[str, Any]:
    shares, seconds = [], []
    for trial in trials:
        selected, depth = peer.selector(trial.eligible.mask), min(k, len(trial.eligible))
        start, found = time.perf_counter(), list[Rows]()
        for query in trial.queries:
            if len(found) >= 10 and time.perf_counter() - start > _SECONDS / len(trials):
                break
            began = time.perf_counter()
            found.append(peer.search(query[None], depth, setting, selected))
            seconds.append(time.perf_counter() - began)
        shares.append(trial.recalls(np.concatenate(found), k))
    recall = np.concatenate(shares)
    return {
        "recall": float(recall.mean()),
        "worst_recall": float(recall.min()),
        "p50_us": float(np.median(seconds)) * 1e6,
        "p99_us": float(np.percentile(seconds, 99)) * 1e6,
    }
