"""The time of a request, which its stages share."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """The time that one call of a stage has.

    Attributes:
        end: Value of ``time.perf_counter`` at its end.
        message: Reason of a call that is late.
    """

    end: float
    message: str

    @property
    def left(self) -> float:
        """Seconds until the end; negative after it."""
        return self.end - time.perf_counter()


@dataclass(frozen=True)
class RequestTime:
    """The time of one request.

    Attributes:
        end: Value of ``time.perf_counter`` at which the feed must be complete.

    Example:
        >>> RequestTime.of(60.0).limit(20.0).message
        'it was not done after 20 ms'
    """

    end: float

    @classmethod
    def of(cls, seconds: float) -> RequestTime:
        """The time of a request that begins now."""
        return cls(time.perf_counter() + seconds)

    def within(self, budget_ms: float) -> RequestTime:
        """This time, or the budget of a pipeline that begins now, whichever ends first."""
        return RequestTime(min(self.end, time.perf_counter() + budget_ms / 1000))

    def limit(self, budget_ms: float) -> Limit:
        """The limit of a stage that begins now: its own budget, or half of what is left.

        With the half, a slow stage leaves time for those after it, however many are slow.
        """
        now = time.perf_counter()
        half, own = max(self.end - now, 0.0) / 2, budget_ms / 1000
        if own <= half:
            return Limit(now + own, f"it was not done after {budget_ms:g} ms")
        reason = f"it was not done after {1000 * half:.3g} ms, half of the request's remaining time"
        return Limit(now + half, reason)
