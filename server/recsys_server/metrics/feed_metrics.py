"""Metrics of feeds: their stages, and the impressions on their way to the store."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from recsys_client.feed import FeedResponse
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
        >>> from recsys_client.feed import FeedItem, StageReport
        >>> report = StageReport("popular", "source", "ok", 0, 50, 0.001)
        >>> items = FeedItem("lamp", 1, 0.5, ("popular", "fresh")), FeedItem("rug", 2, 0.4)
        >>> FeedMetrics(metrics).answered(FeedResponse(items, "home", stages=(report,)))
        >>> metrics.number("recsys_feed_stages", "home", "popular", "ok").value
        1.0
        >>> metrics.number("recsys_feed_items", "home", "popular").value
        0.5
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

    def answered(self, response: FeedResponse) -> None:
        """Count the stages and the items of one feed."""
        for each in response.stages:
            key = self._key(response.pipeline, each.stage)
            stage = self._stages.get(key) or self._stages.setdefault(key, self._new(*key))
            self._metrics.number("recsys_feed_stages", *key, each.status).value += 1
            if each.status in ("off", "idle", "busy"):
                continue
            stage.times.observe(each.seconds)
            stage.given.value += each.given
            stage.returned.value += each.returned
        self._count_items(response)

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

    def _count_items(self, response: FeedResponse) -> None:
        sources, slots = defaultdict[str, float](float), Counter[str]()
        for item in response.items:
            slots[item.slot] += 1
            for source in item.sources:
                sources[source] += 1 / len(item.sources)
        for source, share in sources.items():
            key = self._key(response.pipeline, source)
            self._metrics.number("recsys_feed_items", *key).value += share
        pipeline = self._key(response.pipeline, "feed")[0]
        for slot, count in slots.items():
            self._metrics.number("recsys_feed_slots", pipeline, slot).value += count

    def _key(self, pipeline: str, stage: str) -> tuple[str, str]:
        """The names under which a stage is counted."""
        key = (pipeline, stage)
        return key if key in self._stages or len(self._stages) < STAGES else (OTHER, OTHER)

    def _new(self, pipeline: str, stage: str) -> _Stage:
        counts = (
            self._metrics.number("recsys_feed_candidates", pipeline, stage, at)
            for at in ("before", "after")
        )
        return _Stage(
            self._metrics.histogram("recsys_feed_stage_seconds", pipeline, stage), *counts
        )
