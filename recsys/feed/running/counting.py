"""Counts of the stages of all requests, for metrics."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, replace

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
        self._counts: dict[tuple[str, str, StageStatus], StageCount] = defaultdict(StageCount)

    def add(self, pipeline: str, reports: tuple[StageReport, ...]) -> None:
        """Count the stages of one request."""
        with self._lock:
            for each in reports:
                key = pipeline, each.stage, each.status
                before = self._counts[key]
                self._counts[key] = replace(
                    before,
                    runs=before.runs + 1,
                    given=before.given + each.given,
                    returned=before.returned + each.returned,
                    seconds=before.seconds + each.seconds,
                )

    def snapshot(self) -> dict[tuple[str, str, StageStatus], StageCount]:
        """All counts, by pipeline, stage and status."""
        with self._lock:
            return dict(self._counts)
