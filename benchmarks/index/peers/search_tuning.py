"""The cheapest search parameters with which a peer reaches a recall on the tuning queries."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.index.data.datasets import DataSet
from benchmarks.index.data.truth import recalls
from benchmarks.index.peers.libraries import Peer, Setting


@dataclass(frozen=True)
class Target:
    """A recall to reach.

    Attributes:
        name: Name in the figures, such as "r95".
        k: Number of rows per query.
        recall: Share of the exact k best.
    """

    name: str
    k: int
    recall: float


TARGETS = (Target("r95", 10, 0.95), Target("r99", 10, 0.99), Target("r99k100", 100, 0.99))


def tune(peer: Peer, data: DataSet, target: Target) -> Setting | None:
    """The fastest setting that reaches the target; None where none does."""
    queries, truth = data.array("tuning"), data.answers("tuning")
    reached: list[tuple[float, Setting]] = []
    for depth in peer.depths:

        def recall(value: int, depth: int = depth) -> float:
            found = peer.search(queries, target.k, {peer.parameter: value, "depth": depth})
            return float(recalls(data.items, queries, found, truth, target.k).mean())

        value = smallest(lambda value: recall(value) >= target.recall, peer.most(len(data.items)))
        if value is None:
            continue
        setting = {peer.parameter: value, "depth": depth}
        start = time.perf_counter()
        peer.search(queries, target.k, setting)
        reached.append((time.perf_counter() - start, setting))
        if len(reached) > 2 and reached[-1][0] > reached[-2][0] > reached[-3][0]:
            break
    return min(reached, key=lambda each: each[0])[1] if reached else None


def smallest(reaches: Callable[[int], bool], most: int) -> int | None:
    """The smallest number from 1 to ``most`` that reaches, to 2%; None where none does."""
    low, high = 0, 1
    while not reaches(high):
        if high == most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return int(np.int64(high))
