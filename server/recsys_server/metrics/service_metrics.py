"""Metrics of a service: the last report of each worker, added up when Prometheus reads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from recsys_server.metrics.definitions import METRICS, Definition

Labels = tuple[str, ...]


class ServiceMetrics(Collector):
    """A collector for Prometheus over the reports of workers.

    Example:
        >>> metrics = ServiceMetrics(workers=2)
        >>> report = {"numbers": [["recsys_calls", ["Retrieve", "OK"], 2.0]], "histograms": []}
        >>> for worker in (0, 1):
        ...     metrics.take(worker, report)
        >>> [m.samples[0].value for m in metrics.collect() if m.name == "recsys_calls"]
        [4.0]
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._reports: dict[int, dict[str, Any]] = {}
        self._ended: list[dict[str, Any]] = []
        self.replaced = 0

    @property
    def reports(self) -> Mapping[int, dict[str, Any]]:
        """The last report of each worker that answers."""
        return self._reports

    def total(self) -> dict[str, Any]:
        """Counters and histograms of all workers since the start, as a report."""
        return _added([*self._ended, *list(self._reports.values())])

    @property
    def reporting(self) -> int:
        """Number of workers that answer."""
        return len(self._reports)

    def take(self, worker: int, report: dict[str, Any]) -> None:
        """Take the newest report of a worker."""
        self._reports[worker] = report

    def end(self, worker: int) -> None:
        """Keep the counts of a worker that has ended, and forget its gauges."""
        report = self._reports.pop(worker, None)
        self.replaced += 1
        if report is not None:
            self._ended = [_added([*self._ended, report])]

    def collect(self) -> Iterator[Metric]:
        """The families of all metrics."""
        reports = list(self._reports.items())
        total = _added([*self._ended, *(report for _, report in reports)])
        numbers: dict[str, dict[Labels, float]] = defaultdict(dict)
        for name, labels, value in total["numbers"]:
            numbers[name][tuple(labels)] = value
        for name, definition in METRICS.items():
            if definition.kind == "counter":
                counter = CounterMetricFamily(name, definition.text, labels=definition.labels)
                for labels, value in numbers[name].items():
                    counter.add_metric(labels, value)
                yield counter
            elif definition.kind == "gauge":
                yield _gauge(name, definition, reports)
            else:
                yield _histogram(name, definition, total)
        yield GaugeMetricFamily("recsys_workers", "Workers of the service.", value=self._workers)
        yield GaugeMetricFamily("recsys_workers_ready", "Workers that answer.", self.reporting)
        text = "Workers that have died and were replaced."
        yield CounterMetricFamily("recsys_workers_replaced", text, value=self.replaced)


def _gauge(
    name: str, definition: Definition, reports: list[tuple[int, dict[str, Any]]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, definition.text, labels=(*definition.labels, "worker"))
    for worker, report in reports:
        for found, labels, value in report["numbers"]:
            if found == name:
                family.add_metric((*labels, str(worker)), value)
    return family


def _histogram(name: str, definition: Definition, total: dict[str, Any]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, definition.text, labels=definition.labels)
    for found, labels, counts, total_sum in total["histograms"]:
        if found == name:
            bounds = [*map(str, definition.buckets), "+Inf"]
            sums = [float(sum(counts[: at + 1])) for at in range(len(counts))]
            family.add_metric(labels, list(zip(bounds, sums)), total_sum)
    return family


def _added(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """Counters and histograms of several reports, added up."""
    numbers: dict[tuple[str, Labels], float] = defaultdict(float)
    histograms: dict[tuple[str, Labels], tuple[list[int], float]] = {}
    for report in reports:
        for name, labels, value in report["numbers"]:
            if METRICS[name].kind == "counter":
                numbers[name, tuple(labels)] += value
        for name, labels, counts, seconds in report["histograms"]:
            known, sum_ = histograms.get((name, tuple(labels)), ([0] * len(counts), 0.0))
            added = [one + other for one, other in zip(known, counts)]
            histograms[name, tuple(labels)] = (added, sum_ + seconds)
    return {
        "numbers": [[name, labels, value] for (name, labels), value in numbers.items()],
        "histograms": [[name, labels, *each] for (name, labels), each in histograms.items()],
    }
