"""Calls that block: they run in threads, bounded in number."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from recsys.errors import OverloadedError
from recsys_server.messages import abort_late

Answer = TypeVar("Answer")
THREADS = 16
"""Number of calls that run at once; writes that wait together are committed together."""
WAITING = 1_000
"""Number of calls that run or wait; more are refused."""
_RETRY_SECONDS = 0.1


class _Late(Exception):
    """The deadline of a call passed before its work began."""


class BlockingCalls:
    """Runs the work of calls in threads of its own.

    Work whose caller has gone or whose deadline has passed is not begun.

    Args:
        threads: Number of calls that run at once.
        waiting: Number of calls that run or wait.

    Example:
        >>> async def serve(calls: BlockingCalls, context: Any) -> int:
        ...     return await calls.run(context, lambda: 1 + 1)
    """

    def __init__(self, threads: int = THREADS, waiting: int = WAITING) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="calls")
        self._most = waiting
        self._running: set[Future[Any]] = set()

    async def run(self, context: Any, work: Callable[[], Answer]) -> Answer:
        """The result of ``work``, with its errors.

        Raises:
            OverloadedError: Too many calls wait.
        """
        if len(self._running) >= self._most:
            raise OverloadedError(
                f"{len(self._running):,} calls wait, as many as may", retry_after=_RETRY_SECONDS
            )
        seconds = context.time_remaining()
        deadline = None if seconds is None else time.monotonic() + seconds

        def begin() -> Answer:
            if deadline is not None and time.monotonic() >= deadline:
                raise _Late
            return work()

        future = self._executor.submit(begin)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        try:
            return await asyncio.wrap_future(future)
        except _Late:
            await abort_late(context)

    def close(self) -> None:
        """End the threads once their work is done; work that waits is not begun."""
        self._executor.shutdown(wait=False, cancel_futures=True)
