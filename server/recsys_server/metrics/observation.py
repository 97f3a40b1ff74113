"""Metrics, log and traces of the calls of a worker."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from recsys_server.metrics.worker_metrics import WorkerMetrics
from recsys_server.operations.slow import SlowRequests


@dataclass(frozen=True, eq=False)
class Observation:
    """Metrics, log and traces of the calls of a worker.

    Attributes:
        metrics: Metrics of the worker.
        slow: Seconds from which an answered call has a line in the log.
        channelz: Whether gRPC's own statistics of connections and calls are served.
        interceptors: Interceptors of gRPC, as for traces.
        slow_requests: Slow requests for operators.

    Example:
        >>> Observation(slow=0.2).channelz
        False
    """

    metrics: WorkerMetrics = field(default_factory=WorkerMetrics)
    slow: float = math.inf
    channelz: bool = False
    interceptors: Sequence[Any] = ()
    slow_requests: SlowRequests = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "slow_requests", SlowRequests(self.slow))
