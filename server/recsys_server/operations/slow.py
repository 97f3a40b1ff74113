"""Slow requests of a worker, until its next report takes them."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import Any

LISTED_SECONDS = 0.5
"""Seconds from which a request is listed where the setting ``slow`` gives none."""
MOST = 200
"""Number of slow requests that a worker keeps between two reports."""


class SlowRequests:
    """The slow requests of a worker; it holds no part of a request.

    Args:
        seconds: Seconds from which a request is slow; infinite for ``LISTED_SECONDS``.

    Attributes:
        threshold: Seconds from which a request is listed.

    Example:
        >>> slow = SlowRequests(0.2)
        >>> slow.add("Retrieve", "OK", 0.3, caller="web", request_id="r1")
        >>> [each["method"] for each in slow.take()], slow.take()
        (['Retrieve'], [])
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self.threshold = seconds if math.isfinite(seconds) else LISTED_SECONDS
        self._requests: deque[dict[str, Any]] = deque(maxlen=MOST)

    def add(
        self, method: str, status: str, seconds: float, *, caller: str, request_id: str
    ) -> None:
        """Keep a request that ended now."""
        self._requests.append(
            {
                "ended_at": int(time.time()),
                "method": method,
                "status": status,
                "seconds": round(seconds, 4),
                "caller": caller,
                "request_id": request_id,
            }
        )

    def take(self) -> list[dict[str, Any]]:
        """The requests since the last call, oldest first."""
        found = list(self._requests)
        self._requests.clear()
        return found
