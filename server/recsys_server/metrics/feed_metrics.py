"""Metrics of feeds: their stages, and the impressions on their way to the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recsys_client.feed import StageReport
from recsys_server.metrics.worker_metrics import Histogram, Number, WorkerMetrics

STAGES = 200
"""Number of stages of all pipelines that are counted by name."""
OTHER = "other"


@dataclass(frozen=True, eq=False)
class _Stage:
    """The metrics of one stage."""

    times: Histogram
    given: Number
    returned: Number


class FeedMetrics:
    """Metrics of the feeds of a worker.

    The names of pipelines and stages are those of bundles; beyond :data:`STAGES` of them, as after
    very many bundles, further ones count as "other".

    Example:
        >>> metrics = WorkerMetrics()
        >>> report = StageReport("popular", "source", "ok", 0, 50, 0.001)
        >>> FeedMetrics(metrics).answered("home", [report])
        >>> metrics.number("recsys_feed_stages", "home", "popular", "ok").value
        1.0
    """

    def __init__(self, metrics: WorkerMetrics) -> None:
        self._metrics = metrics
        self._stages: dict[tuple[str, str], _Stage] = {}
        self._queued, self._refused = (
            metrics.number("recsys_impressions", outcome) for outcome in ("queued", "refused")
        )
        self._written = metrics.number("recsys_impressions", "written")
        self._failures = metrics.number("recsys_impression_failures")
        self._waiting = metrics.number("recsys_impressions_waiting")

    def answered(self, pipeline: str, reports: Sequence[StageReport]) -> None:
        """Count the stages of one feed."""
        for each in reports:
            key = (pipeline, each.stage)
            if key not in self._stages and len(self._stages) >= STAGES:
                key = (OTHER, OTHER)
            stage = self._stages.get(key) or self._stages.setdefault(key, self._new(*key))
            self._metrics.number("recsys_feed_stages", *key, each.status).value += 1
            if each.status in ("off", "idle", "busy"):
                continue
            stage.times.observe(each.seconds)
            stage.given.value += each.given
            stage.returned.value += each.returned

    def impression(self, is_taken: bool, *, waiting: int) -> None:
        """Count a feed that the queue has taken or refused."""
        (self._queued if is_taken else self._refused).value += 1
        self._waiting.value = waiting

    def impressions_written(self, count: int, *, waiting: int) -> None:
        """Count impressions that are in the store."""
        self._written.value += count
        self._waiting.value = waiting

    def impressions_failed(self) -> None:
        """Count an attempt at which the store could not be written."""
        self._failures.value += 1

    def _new(self, pipeline: str, stage: str) -> _Stage:
        counts = (
            self._metrics.number("recsys_feed_candidates", pipeline, stage, at)
            for at in ("before", "after")
        )
        return _Stage(
            self._metrics.histogram("recsys_feed_stage_seconds", pipeline, stage), *counts
        )
