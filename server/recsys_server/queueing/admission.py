"""Admission of calls: what may wait, for how long, and an estimate of what each request costs.

A service that lets every call wait answers none of them in time once it is overloaded. Here the
work that waits is bounded in number, bytes and seconds; a call beyond a bound, or one that cannot
be answered before its deadline, is refused at once, which costs little.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from pydantic import Field

from recsys.config import Config
from recsys.errors import OverloadedError
from recsys_client.pb.recsys.v1.retrieval_pb2 import RetrieveRequest

_LEAST_RETRY = 0.05
"""Seconds after which a refused caller may retry, at least."""
_WEIGHT = 0.1
"""Weight of the last batch in the estimate of seconds per unit of cost."""
_SURPRISE = 4.0
"""Ratio of a measurement to the estimate, at most: one batch that the operating system or the load
of another bundle held up must not refuse the calls after it."""
_MARGIN = 2.0
"""Factor of an estimate that has to fit a deadline: an answer that comes too late is lost work, and
the estimate contains neither the rest of its own batch nor the time in gRPC."""
_FIRST_RATE = 1e-6
"""Seconds per unit of cost before the first measurement."""


class QueueLimits(Config):
    """The work that may wait.

    Attributes:
        calls: Number of calls that wait or run.
        bytes: Number of bytes of their messages.
        seconds: Estimated seconds until they are all answered.

    Example:
        >>> QueueLimits(seconds=0.2).calls
        2048
    """

    calls: int = Field(2_048, ge=1)
    bytes: int = Field(64 * 1024 * 1024, ge=1024)
    seconds: float = Field(2.0, gt=0)


def cost_of(message: RetrieveRequest) -> float:
    """Estimated cost of a request, about its microseconds on one core of 2024.

    Ratios matter only: :class:`Admission` measures the seconds per unit.

    Example:
        >>> cost_of(RetrieveRequest(k=100)) < cost_of(RetrieveRequest(k=1_000, space="text+image"))
        True
    """
    query = message.query
    cost = 100.0 + 0.5 * min(max(message.k, 0), 10_000)
    if query.image:
        cost += 30_000.0
    if query.terms:
        cost += 200.0
    if message.HasField("filter"):
        cost += 100.0
    if not query.item_id:
        cost += 200.0 + 0.5 * len(query.history.item_ids)
    if "+" in message.space:
        cost += 10.0 * max(1_000, message.k)
    if message.crowding:
        cost *= 2
    return cost * (message.effort if 1.0 < message.effort <= 10.0 else 1.0)


@dataclass(eq=False)
class Admission:
    """Bounds on the work that waits, for one service; thread-safe.

    Attributes:
        limits: The bounds.
        threads: Number of batches that run at the same time.

    Example:
        >>> admission = Admission(QueueLimits(calls=1))
        >>> admission.admit(cost=100.0, size=20, seconds=None)
        >>> admission.admit(cost=100.0, size=20, seconds=None)
        Traceback (most recent call last):
        ...
        recsys_client.errors.OverloadedError: 1 calls wait, as many as may; retry in 0.05 seconds
    """

    limits: QueueLimits
    threads: int = 1

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._calls = self._bytes = 0
        self._cost = 0.0
        self._rate = _FIRST_RATE

    @property
    def calls(self) -> int:
        """Number of calls that wait or run."""
        return self._calls

    @property
    def wait(self) -> float:
        """Estimated seconds until a call that comes now is begun."""
        return self._cost * self._rate / self.threads

    def refusal(self, seconds: float | None) -> float | None:
        """Seconds after which to retry a call that :meth:`admit` would refuse with any message.

        Args:
            seconds: Seconds until its deadline, or None without one.

        Returns:
            The seconds, in steps of 0.05; None for a call that may be admitted.
        """
        wait, limits = self.wait, self.limits
        is_late = wait > 0 and seconds is not None and _MARGIN * wait > seconds
        if is_late or wait > limits.seconds or self._calls >= limits.calls:
            return max(_LEAST_RETRY, round(wait / _LEAST_RETRY) * _LEAST_RETRY)
        return None

    def admit(self, *, cost: float, size: int, seconds: float | None) -> None:
        """Count a call as waiting.

        Args:
            cost: Sum of :func:`cost_of` of its requests.
            size: Number of bytes of its message.
            seconds: Seconds until its deadline, or None without one.

        Raises:
            OverloadedError: A bound is reached, or the deadline would pass while the call waits.
        """
        with self._lock:
            wait, limits = self.wait, self.limits
            if self._calls >= limits.calls:
                raise _overloaded(f"{self._calls:,} calls wait, as many as may", wait)
            if self._calls and self._bytes + size > limits.bytes:
                raise _overloaded(f"{self._bytes:,} bytes of calls wait, as many as may", wait)
            if wait > limits.seconds:
                raise _overloaded(f"calls wait for {wait:.2g} seconds, as long as they may", wait)
            # An estimate is never a reason to refuse work while nothing else waits.
            expected = _MARGIN * (wait + cost * self._rate)
            if wait > 0 and seconds is not None and expected > seconds:
                raise _overloaded(
                    f"calls wait for {wait:.2g} seconds, and the deadline is in {seconds:.2g}", wait
                )
            self._calls += 1
            self._bytes += size
            self._cost += cost

    def done(self, cost: float) -> None:
        """Count work as done, or as given up before it was begun."""
        with self._lock:
            self._cost = max(0.0, self._cost - cost)

    def end(self, size: int) -> None:
        """Count a call as ended."""
        with self._lock:
            self._calls -= 1
            self._bytes -= size

    def measure(self, cost: float, seconds: float) -> None:
        """Learn from a batch how many seconds a unit of cost takes."""
        if cost > 0:
            with self._lock:
                measured = min(seconds / cost, _SURPRISE * self._rate)
                self._rate += _WEIGHT * (measured - self._rate)


def _overloaded(reason: str, wait: float) -> OverloadedError:
    retry = max(_LEAST_RETRY, round(wait, 2))
    return OverloadedError(f"{reason}; retry in {retry:g} seconds", retry_after=retry)
