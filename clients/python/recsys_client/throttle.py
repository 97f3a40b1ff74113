"""Calls that are refused in the client while the service refuses calls as overloaded.

A refusal costs the service about a fifth of an answer: at five times its capacity it would do
little but refuse. So the clients refuse most of the excess themselves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from recsys_client.errors import InvalidRequestError, OverloadedError, RecsysError, ServiceError

SENT_PER_ANSWER = 1.1
"""Calls that are sent per answered call during an overload, by default."""
MAX_CREDIT = 32.0
"""Number of calls that may be sent at once during an overload, at most."""
HOLD_SECONDS = 0.75
"""Time after the last sign of an overload from which all calls are sent again."""
MIN_RETRY, MAX_RETRY = 0.02, 0.5
"""Bounds on the seconds between two calls that are sent although none was answered."""


class Throttle:
    """Decides which calls of one method are sent over one connection; thread-safe.

    Every call is sent until the service refuses one as overloaded. From then on each answered call
    allows ``sent_per_answer`` further ones, so that the service refuses few calls per answer; while
    no call is answered, one is sent after the seconds of the service's retry hint. ``HOLD_SECONDS``
    after the last refusal, or the last call whose deadline passed meanwhile, every call is sent.

    Args:
        sent_per_answer: Calls that are sent per answered call during an overload, at least 1.
        clock: Time in seconds.

    Example:
        >>> throttle = Throttle(clock=lambda: 0.0)
        >>> throttle.failed(OverloadedError("1,000 calls wait", retry_after=0.1))
        >>> throttle.wait()  # seconds after which this call may be sent
        0.1
        >>> throttle.answered()
        >>> throttle.wait() is None  # it is sent
        True
    """

    __slots__ = ("_clock", "_credit", "_is_on", "_lock", "_next", "_off", "_retry", "_share")

    def __init__(
        self,
        sent_per_answer: float = SENT_PER_ANSWER,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._share = sent_per_answer
        self._clock = clock
        self._lock = threading.Lock()
        self._is_on = False
        self._credit = self._next = self._off = 0.0
        self._retry = MIN_RETRY

    def wait(self) -> float | None:
        """Count a call that is about to be sent.

        Returns:
            None for a call to send, or the seconds after which one that is not sent may be retried.
        """
        if not self._is_on:
            return None
        with self._lock:
            now = self._clock()
            if now >= self._off:
                self._is_on = False
            elif self._credit >= 1:
                self._credit -= 1
            elif now >= self._next:
                self._next = now + self._retry
            else:
                return min(self._next, self._off) - now
        return None

    def answered(self) -> None:
        """Count a call that the service answered."""
        if self._is_on:
            with self._lock:
                self._credit = min(MAX_CREDIT, self._credit + self._share)

    def failed(self, failure: RecsysError) -> None:
        """Count a call that failed.

        An error of the service is an answer, unless it is an overload; the lack of a service is
        neither.
        """
        if isinstance(failure, OverloadedError):
            self._refused(failure.retry_after)
        elif not isinstance(failure, ServiceError):
            self.answered()

    def late(self) -> None:
        """Count a call whose deadline passed: a sign that an overload lasts, not that it began."""
        if self._is_on:
            with self._lock:
                now = self._clock()
                if now < self._off:
                    self._off = now + HOLD_SECONDS

    def _refused(self, retry_after: float) -> None:
        with self._lock:
            now = self._clock()
            self._retry = min(max(retry_after, MIN_RETRY), MAX_RETRY)
            if not self._is_on or now >= self._off:
                self._is_on, self._credit = True, 0.0
            self._next, self._off = now + self._retry, now + HOLD_SECONDS


def check_share(sent_per_answer: float) -> None:
    """Refuse a number below 1, with which the calls during an overload would become ever fewer."""
    if not sent_per_answer >= 1:
        raise InvalidRequestError(
            f"throttle must be 1 or more calls per answered call, or None; got {sent_per_answer!r}",
            field="throttle",
        )


def not_sent(address: str, seconds: float) -> OverloadedError:
    """The error of a call that was not sent."""
    return OverloadedError(
        f"{address} refuses calls as overloaded, so this call was not sent; retry in"
        f" {seconds:.2g} seconds",
        retry_after=seconds,
    )
