"""Micro-batches: requests of different calls that wait at the same time are answered together.

The event loop puts calls into a queue, and threads take batches from it. A batch is whatever
waits when a thread is free: one request while the service is idle, up to ``BATCH`` of them under
load. Single requests go first, and the requests of a large call fill the rest of each batch, so
that a large call neither delays others nor waits for ever.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from threading import Lock
from typing import Any

from recsys_server.queueing.admission import Admission

BATCH = 64
"""Number of requests of a batch, at most."""
BATCH_COST = 24_000.0
"""Estimated cost of a batch, at most, unless one request alone costs more: that of 64 histories of
50 items with k = 100."""
SHARE_OF_SINGLES = 0.5
"""Share of a batch for single requests while a large call waits, at most."""


@dataclass(eq=False)
class PendingCall:
    """A call between its arrival and its answer.

    Attributes:
        requests: Its requests; empty once the caller no longer waits.
        costs: Estimated cost of each.
        size: Number of bytes of its message.
        deadline: Time after which the caller no longer waits; infinite without one.
        answered: Future of the outcomes of all requests, in their order.
    """

    requests: list[Any]
    costs: list[float]
    size: int
    deadline: float
    answered: asyncio.Future[list[Any]]

    def __post_init__(self) -> None:
        self.begun = 0
        self.outcomes: list[Any] = [None] * len(self.requests)
        self.missing = len(self.requests)
        self.given_up = False

    @property
    def waiting(self) -> int:
        """Number of requests that have not begun."""
        return len(self.requests) - self.begun

    @property
    def waiting_cost(self) -> float:
        """Estimated cost of the requests that have not begun."""
        return sum(self.costs[self.begun :])


@dataclass(frozen=True, eq=False)
class Part:
    """One request of a call, in a batch.

    Attributes:
        call: The call.
        position: Position of the request among those of the call.
        request: The request.
        clock: Time in seconds, as of the deadline.
    """

    call: PendingCall
    position: int
    request: Any
    clock: Callable[[], float]

    @property
    def is_wanted(self) -> bool:
        """Whether the caller still waits and the deadline has not passed."""
        return not self.call.given_up and self.clock() < self.call.deadline


class Batcher:
    """A queue of calls, and threads that answer it in batches.

    Args:
        answer: Function of a batch that returns one outcome per part and never raises; it is called
            in a thread of ``executor``.
        executor: The threads.
        admission: Bounds on what may wait; its ``threads`` is the number of batches at a time.
        clock: Time in seconds, with which deadlines are compared.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Part]], Sequence[Any]],
        *,
        executor: Executor,
        admission: Admission,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._answer, self._executor, self._admission = answer, executor, admission
        self._clock = clock
        self._singles: deque[PendingCall] = deque()
        self._large: deque[PendingCall] = deque()
        self._lock = Lock()
        self._threads = 0
        self._dispatching = False

    async def submit(
        self, requests: list[Any], costs: list[float], *, size: int, seconds: float | None
    ) -> list[Any]:
        """The outcome of each request of a call, once all are answered.

        Requests whose caller gives up, or whose deadline passes, before they are begun are not
        answered; their outcomes are those that ``answer`` returns for unwanted parts.

        Raises:
            OverloadedError: The call was refused.
        """
        self._admission.admit(cost=sum(costs), size=size, seconds=seconds)
        loop = asyncio.get_running_loop()
        deadline = float("inf") if seconds is None else self._clock() + seconds
        call = PendingCall(requests, costs, size, deadline, loop.create_future())
        with self._lock:
            (self._singles if len(requests) == 1 else self._large).append(call)
        if not self._dispatching and self._threads < self._admission.threads:
            self._dispatching = True
            loop.call_soon(self._dispatch, loop)
        try:
            return await call.answered
        finally:
            self._end(call)

    def _dispatch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start a thread, after all calls that have arrived together are in the queue."""
        self._dispatching = False
        with self._lock:
            if self._threads >= self._admission.threads or not (self._singles or self._large):
                return
            self._threads += 1
        self._executor.submit(self._work, loop)

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer batches until nothing waits."""
        while True:
            with self._lock:
                batch = self._take()
                if not batch:
                    self._threads -= 1
                    return
            cost = sum(part.call.costs[part.position] for part in batch)
            began = self._clock()
            outcomes = self._answer(batch)
            self._admission.measure(cost, self._clock() - began)
            self._admission.done(cost)
            loop.call_soon_threadsafe(_deliver, batch, outcomes)

    def _take(self) -> list[Part]:
        """The next batch: single requests, and then those of large calls in turn."""
        batch: list[Part] = []
        cost, share = 0.0, SHARE_OF_SINGLES if self._large else 1.0
        while self._singles and len(batch) < share * BATCH and cost < share * BATCH_COST:
            cost += self._begin(self._singles.popleft(), batch)
        while self._large and len(batch) < BATCH and cost < BATCH_COST:
            call = self._large.popleft()
            cost += self._begin(call, batch)
            if call.waiting:
                self._large.append(call)
        return batch

    def _begin(self, call: PendingCall, batch: list[Part]) -> float:
        """Put the next request of a call into a batch; returns its cost."""
        if call.given_up:
            return 0.0
        cost = call.costs[call.begun]
        batch.append(Part(call, call.begun, call.requests[call.begun], self._clock))
        call.begun += 1
        return cost

    def _end(self, call: PendingCall) -> None:
        """Forget a call: it is answered, or its caller has given up."""
        with self._lock:
            call.given_up = True
            self._admission.done(call.waiting_cost)
            call.requests, call.begun = [], 0  # what waits in the queue holds no memory
        self._admission.end(call.size)


def _deliver(batch: Sequence[Part], outcomes: Sequence[Any]) -> None:
    """Store outcomes and end the calls that are complete; runs in the event loop."""
    for part, outcome in zip(batch, outcomes):
        call = part.call
        call.outcomes[part.position] = outcome
        call.missing -= 1
        if not call.missing and not call.answered.done():
            call.answered.set_result(call.outcomes)
