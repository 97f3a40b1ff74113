"""Threads that run the stages of feeds."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable
from functools import cache
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
MOST_LATE = 2
"""Number of late calls of one stage that may still run while it is called again."""


class Call(Generic[T]):
    """One call of a stage in another thread; a call that is abandoned has no result.

    Args:
        function: The call.
        key: Name of the stage, under which a late call is counted.
    """

    def __init__(self, function: Callable[[], T], key: str) -> None:
        self.function, self.key = function, key
        self.done = threading.Event()
        self.value: T | None = None
        self.error: BaseException | None = None
        self.state = "waiting"

    def wait(self, seconds: float) -> bool:
        """Whether the call ended within this time."""
        return self.done.wait(max(seconds, 0.0))


class StagePool:
    """Daemon threads that are started as they are needed, up to a number.

    A stage that never returns holds one thread, and does not hold the end of the process. A stage
    of which ``MOST_LATE`` calls are late and still run is busy: the runner does not call it.

    Args:
        threads: Largest number of threads.

    Example:
        >>> pool = StagePool(2)
        >>> call = pool.submit(lambda: 3, "popular")
        >>> call.wait(60), call.value
        (True, 3)
    """

    def __init__(self, threads: int = 32) -> None:
        self._most, self._started, self._idle = threads, 0, 0
        self._calls: SimpleQueue[Call[object]] = SimpleQueue()
        self._late: Counter[str] = Counter()
        self._lock = threading.Lock()

    def submit(self, function: Callable[[], T], key: str) -> Call[T]:
        """Run a function in a thread as soon as one is free."""
        call = Call(function, key)
        with self._lock:
            needs_thread = self._idle <= 0 and self._started < self._most
            if needs_thread:
                self._started += 1
            else:
                self._idle -= 1
        self._calls.put(call)  # type: ignore[arg-type]
        if needs_thread:
            threading.Thread(target=self._work, name="feed stage", daemon=True).start()
        return call

    def abandon(self, call: Call[T]) -> bool:
        """Give a call up; False if it has ended meanwhile."""
        with self._lock:
            if call.done.is_set():
                return False
            if call.state == "running":
                self._late[call.key] += 1
            call.state = "late" if call.state == "running" else "cancelled"
            return True

    def is_busy(self, key: str) -> bool:
        """Whether as many late calls of a stage as allowed still run."""
        return self._late[key] >= MOST_LATE

    def _work(self) -> None:
        while True:
            self._run(self._calls.get())  # no variable keeps a call, and its bundle, while idle
            with self._lock:
                self._idle += 1

    def _run(self, call: Call[object]) -> None:
        with self._lock:
            if call.state == "cancelled":
                return
            call.state = "running"
        try:
            call.value = call.function()
        except BaseException as error:
            call.error = error
        with self._lock:
            if call.state == "late":
                self._late[call.key] -= 1
            call.done.set()


def shared_pool() -> StagePool:
    """The pool of this process, so that bundles that come and go leave no threads behind."""
    return _pool_of(os.getpid())


@cache
def _pool_of(process: int) -> StagePool:
    return StagePool()
