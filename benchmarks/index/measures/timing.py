"""Rates and latencies of several searches, measured in turn in one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recsys.ids import Vectors

Search = Callable[[Vectors, int], Any]
"""Function from queries ``[b, d]`` and k to rows ``[b, k]``."""
ROUNDS = 3
_BATCH_SECONDS, _SINGLE_SECONDS = 0.6, 0.4
"""About the longest duration of one search in one round."""


@dataclass
class Timings:
    """Timings of one search.

    Attributes:
        search: The search.
        batch: Number of queries in a batch.
        single: Number of queries searched one by one per round.
        batches: Seconds of each batch.
        singles: Seconds per query, one array per round.
    """

    search: Search
    batch: int
    single: int
    batches: list[float] = field(default_factory=list)
    singles: list[Any] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Queries per second of the best round; median and 99th percentile in microseconds."""
        best = min(self.singles, key=lambda seconds: float(np.sum(seconds)))
        return {
            "batched_qps": self.batch / min(self.batches),
            "single_qps": len(best) / float(np.sum(best)),
            "p50_us": float(np.median(best)) * 1e6,
            "p99_us": float(np.percentile(best, 99)) * 1e6,
        }


def measure(
    searches: Mapping[str, Search], queries: Vectors, k: int, rounds: int = ROUNDS
) -> dict[str, dict[str, float]]:
    """Figures per search. Each round measures all of them, one after the other."""
    timings = {name: _sized(search, queries, k) for name, search in searches.items()}
    for _ in range(rounds):
        for each in timings.values():
            batch = queries[: each.batch]
            start = time.perf_counter()
            each.search(batch, k)
            each.batches.append(time.perf_counter() - start)
            each.singles.append(seconds_per_query(each.search, queries[: each.single], k))
    return {name: each.figures() for name, each in timings.items()}


def seconds_per_query(search: Search, queries: Vectors, k: int) -> Any:
    """Seconds of each query searched alone, float64 ``[q]``."""
    seconds = np.empty(len(queries))
    for position in range(len(queries)):
        query = queries[position : position + 1]
        start = time.perf_counter()
        search(query, k)
        seconds[position] = time.perf_counter() - start
    return seconds


def _sized(search: Search, queries: Vectors, k: int) -> Timings:
    """Timings with numbers of queries that fit the durations; the search is warm after it."""
    sizes = []
    for step, limit in ((50, _BATCH_SECONDS), (1, _SINGLE_SECONDS)):
        search(queries[:step], k)
        start = time.perf_counter()
        search(queries[step : 2 * step], k)
        fits = int(limit * step / (time.perf_counter() - start))
        sizes.append(min(len(queries), max(20, fits)))
    return Timings(search, batch=sizes[0], single=sizes[1])
