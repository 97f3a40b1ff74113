"""Metrics of batches: waits, times of the stages, and the number of answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import product

from recsys_server.metrics.worker_metrics import Histogram, Number, WorkerMetrics

STAGES = ("read", "retrieve", "write")
ROLES = ("active", "canary")
SPACES = 64
"""Number of combinations of bundles and spaces that are counted by name."""


class StageMetrics:
    """Metrics of the batches of a worker.

    Example:
        >>> stages = StageMetrics(WorkerMetrics())
        >>> watch = stages.begin(waits=[0.002, 0.001])
        >>> watch.end("read")
        >>> watch.end("retrieve", "canary")
    """

    def __init__(self, metrics: WorkerMetrics) -> None:
        self._metrics = metrics
        self._times = {
            (stage, bundle): metrics.histogram("recsys_stage_seconds", stage, bundle)
            for stage, bundle in (("read", ""), *product(STAGES[1:], ROLES))
        }
        self._sizes = metrics.histogram("recsys_batch_size")
        self._waits = metrics.histogram("recsys_queue_wait_seconds")
        self._answers: dict[tuple[str, str], Number] = {}
        self._dropped = {
            stage: metrics.number("recsys_requests_dropped", stage) for stage in STAGES[:2]
        }
        self._shed = metrics.number("recsys_calls_shed", "queue")
        self._cached = metrics.number("recsys_cached_answers")

    def begin(self, waits: Sequence[float]) -> StageWatch:
        """Begin a batch of requests that have waited; returns a watch for its stages."""
        self._sizes.observe(len(waits))
        for seconds in waits:
            self._waits.observe(seconds)
        return StageWatch(self._times)

    def answered(self, bundle: str, space: str) -> None:
        """Count an answer of the bundle "active" or "canary" in a space."""
        key = (bundle, space)
        if key not in self._answers:
            if len(self._answers) >= SPACES:  # spaces can be combined in very many ways
                key = (bundle, "other")
            self._answers[key] = self._metrics.number("recsys_answers", *key)
        self._answers[key].value += 1

    def answered_from_cache(self) -> None:
        """Count an answer of the cache."""
        self._cached.value += 1

    def dropped(self, stage: str) -> None:
        """Count a request that was given up before "read" or "retrieve"."""
        self._dropped[stage].value += 1

    def shed(self) -> None:
        """Count a call that the queue has refused."""
        self._shed.value += 1


class StageWatch:
    """A watch that runs from one stage of a batch to the next."""

    __slots__ = ("_began", "_times")

    def __init__(self, times: dict[tuple[str, str], Histogram]) -> None:
        self._times = times
        self._began = time.perf_counter()

    def end(self, stage: str, bundle: str = "") -> None:
        """The time since the last stage belongs to this one."""
        now = time.perf_counter()
        self._times[stage, bundle].observe(now - self._began)
        self._began = now
