"""Counts of the stages of all requests, for metrics."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from recsys_client.feed import StageReport, StageStatus


@dataclass(frozen=True)
class StageCount:
    """Counts of one stage in one state.

    Attributes:
        runs: Number of requests.
        given: Number of candidates before the stage.
        returned: Number of candidates after the stage.
        seconds: Time in total.
    """

    runs: int = 0
    given: int = 0
    returned: int = 0
    seconds: float = 0.0


class StageCounts:
    """Counts per pipeline, stage and status; thread-safe.

    Example:
        >>> counts = StageCounts()
        >>> counts.add("home", (StageReport("popular", "source", "ok", 0, 50, 0.001),))
        >>> counts.snapshot()["home", "popular", "ok"].returned
        50
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Numbers of runs, given and returned candidates, and seconds.
        self._sums: dict[tuple[str, str, StageStatus], list[float]] = {}

    def add(self, pipeline: str, reports: tuple[StageReport, ...]) -> None:
        """Count the stages of one request."""
        with self._lock:
            for each in reports:
                sums = self._sums.setdefault((pipeline, each.stage, each.status), [0, 0, 0, 0.0])
                sums[0] += 1
                sums[1] += each.given
                sums[2] += each.returned
                sums[3] += each.seconds

    def snapshot(self) -> dict[tuple[str, str, StageStatus], StageCount]:
        """All counts, by pipeline, stage and status."""
        with self._lock:
            return {
                key: StageCount(int(runs), int(given), int(returned), seconds)
                for key, (runs, given, returned, seconds) in self._sums.items()
            }
