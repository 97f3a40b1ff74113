"""What a worker reports once per second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from recsys_server.health import HealthReports
from recsys_server.metrics.observation import Observation
from recsys_server.metrics.sampling import Sampler
from recsys_server.queueing.admission import Admission
from recsys_server.rollout import Rollout


@dataclass(frozen=True, eq=False)
class WorkerReport:
    """Makes the reports of a worker.

    Attributes:
        rollout: The bundles that answer.
        observation: Metrics and slow requests.
        health: Health of its services.
        queue: Retrievals that wait.
        in_flight: Reads the number of calls in flight.

    Example:
        >>> def version(report: WorkerReport) -> str:
        ...     return report.make()["version"]
    """

    rollout: Rollout
    observation: Observation
    health: HealthReports
    queue: Admission
    in_flight: Callable[[], int]

    def make(self) -> dict[str, Any]:
        """A report as JSON, with the slow requests since the last one."""
        metrics = self.observation.metrics
        metrics.number("recsys_calls_in_flight").value = self.in_flight()
        metrics.number("recsys_queue_calls").value = self.queue.calls
        metrics.number("recsys_queue_expected_seconds").value = self.queue.wait
        return {
            "version": self.rollout.current.active.version,
            "metrics": metrics.report(),
            "health": self.health.serving,
            "fault": self.health.fault,
            "slow": self.observation.slow_requests.take(),
        }

    def with_gauges(self) -> dict[str, Any]:
        """A report of a process whose gauges nothing else reads."""
        Sampler(self.observation.metrics, self.rollout).sample(refused=0)
        return self.make()
