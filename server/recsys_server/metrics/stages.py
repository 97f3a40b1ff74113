"""Times of the stages of a batch, and the number of its answers."""

from __future__ import annotations

import time

from recsys_server.metrics.worker_metrics import Histogram, Number, WorkerMetrics

STAGES = ("read", "retrieve", "write")
SPACES = 64
"""Number of combinations of bundles and spaces that are counted by name."""


class StageMetrics:
    """Metrics of the batches of a worker.

    Example:
        >>> stages = StageMetrics(WorkerMetrics())
        >>> watch = stages.begin(size=2)
        >>> watch.end("read")
    """

    def __init__(self, metrics: WorkerMetrics) -> None:
        self._metrics = metrics
        self._times = {name: metrics.histogram("recsys_stage_seconds", name) for name in STAGES}
        self._sizes = metrics.histogram("recsys_batch_size")
        self._answers: dict[tuple[str, str], Number] = {}

    def begin(self, size: int) -> StageWatch:
        """Begin a batch of ``size`` requests; returns a watch for its stages."""
        self._sizes.observe(size)
        return StageWatch(self._times)

    def answered(self, bundle: str, space: str) -> None:
        """Count an answer of the bundle "active" or "canary" in a space."""
        key = (bundle, space)
        if key not in self._answers:
            if len(self._answers) >= SPACES:  # spaces can be combined in very many ways
                key = (bundle, "other")
            self._answers[key] = self._metrics.number("recsys_answers", *key)
        self._answers[key].value += 1


class StageWatch:
    """A watch that runs from one stage of a batch to the next."""

    __slots__ = ("_began", "_times")

    def __init__(self, times: dict[str, Histogram]) -> None:
        self._times = times
        self._began = time.perf_counter()

    def end(self, stage: str) -> None:
        """The time since the last stage belongs to this one."""
        now = time.perf_counter()
        self._times[stage].observe(now - self._began)
        self._began = now
