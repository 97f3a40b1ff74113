"""The record of a running service: what its workers have reported."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from recsys_server.metrics.definitions import METRICS
from recsys_server.metrics.service_metrics import ServiceMetrics
from recsys_server.operations.alerts import (
    DEATH_MINUTES,
    AlertState,
    Figures,
)
from recsys_server.operations.series import MinuteSeries

SLOW_REQUESTS = 1_000
"""Number of slow requests that are kept."""
ALERT_SECONDS = 5.0
"""Time between two evaluations of the alerts."""
_COUNTS = ("recsys_calls", "recsys_worker_cpu_seconds")


@dataclass
class WorkerRecord:
    """What is known of a worker.

    Attributes:
        process_id: Id of its process; 0 where there is none.
        started_at: Time of its start, in seconds since 1970.
        state: "starting", "ready" or "ended".
        heard: Time of its last report, or of its start.
        version: Version of its active bundle.
        health: Whether each of its services reports SERVING.
        fault: Reason why one does not, or "".
    """

    process_id: int
    started_at: float
    state: str = "starting"
    heard: float = 0.0
    version: str = ""
    health: dict[str, bool] = field(default_factory=dict)
    fault: str = ""


class ServiceRecord:
    """What the workers of a service have reported, for metrics and for operators.

    Args:
        workers: Number of workers.
        clock: Time in seconds since 1970.

    Attributes:
        metrics: Metrics of the service.

    Example:
        >>> record = ServiceRecord(workers=1)
        >>> record.begin(0, process_id=4711)
        >>> record.answer("status")["workers"][0]["state"]
        'starting'
    """

    def __init__(self, workers: int, *, clock: Callable[[], float] = time.time) -> None:
        self.metrics = ServiceMetrics(workers)
        self._clock = clock
        self._started = clock()
        self._workers: dict[int, WorkerRecord] = {}
        self._series = MinuteSeries(self._started)
        self._slow: deque[dict[str, Any]] = deque(maxlen=SLOW_REQUESTS)
        self._deaths: deque[float] = deque(maxlen=100)
        self._alert_state, self._evaluated = AlertState(), 0.0
        self._alerts: list[tuple[str, float]] = []

    def begin(self, number: int, process_id: int) -> None:
        """A worker was started."""
        now = self._clock()
        self._workers[number] = WorkerRecord(process_id, now, heard=now)

    def take(self, number: int, report: dict[str, Any]) -> None:
        """A worker has reported."""
        worker = self._workers[number]
        worker.state, worker.heard = "ready", self._clock()
        worker.version = report["version"]
        worker.health, worker.fault = report["health"], report["fault"]
        self._slow.extend({"worker": number, **each} for each in report["slow"])
        self.metrics.take(number, report["metrics"])
        self.tick()

    def end(self, number: int) -> None:
        """A worker has ended, and will be replaced."""
        worker = self._workers[number]
        worker.state, worker.process_id = "ended", 0
        self._deaths.append(self._clock())
        self.metrics.end(number)

    def tick(self) -> None:
        """Close a minute that has ended, and evaluate the alerts; called often."""
        now = self._clock()
        if self._series.is_due(now):
            self._series.observe(self.metrics.total(), now)
        if abs(now - self._evaluated) >= ALERT_SECONDS:
            self._evaluated = now
            self._alerts = self._alert_state.update(self._figures(now), now)

    def answer(self, about: str, most: int = 0) -> dict[str, Any]:
        """The state as JSON.

        Args:
            about: "status", "minutes" or "slow".
            most: Largest number of minutes or slow requests.
        """
        now = self._clock()
        if about == "minutes":
            return {"minutes": self._series.figures(self.metrics.total(), now, most)}
        if about == "slow":
            return {"requests": list(self._slow)[::-1][:most]}
        return {
            "started": self._started,
            "now": now,
            "replaced": self.metrics.replaced,
            "alerts": self._alerts,
            "workers": [
                {
                    "number": number,
                    **vars(worker),
                    "silent": max(0.0, now - worker.heard),
                    "numbers": self._numbers(number),
                }
                for number, worker in sorted(self._workers.items())
            ],
        }

    def _numbers(self, number: int) -> list[Any]:
        report = self.metrics.reports.get(number, {"numbers": []})
        return [
            each
            for each in report["numbers"]
            if each[0] in _COUNTS or METRICS[each[0]].kind == "gauge"
        ]

    def _figures(self, now: float) -> Figures:
        return Figures(
            self.metrics.reporting,
            sum(now - each < 60 * DEATH_MINUTES for each in self._deaths),
            self._series.recent(self.metrics.total(), now),
            [each for report in self.metrics.reports.values() for each in report["numbers"]],
        )
