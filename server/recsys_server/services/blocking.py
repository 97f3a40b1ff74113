"""Calls that block: they run in threads, bounded in number."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from recsys.errors import OverloadedError
from recsys_server.messages import abort_late

Answer = TypeVar("Answer")
THREADS = 16
"""Number of calls that run at once; writes that wait together are committed together."""
WAITING = 1_000
"""Number of calls that run or wait; more are refused."""
WAITING_BYTES = 64 * 1024 * 1024
"""Number of bytes of their messages, beyond which a call is refused unless it is the only one."""
_RETRY_SECONDS = 0.1


class _Late(Exception):
    """The deadline of a call passed, or its caller gave up, before its work was done."""


@dataclass(eq=False)
class Caller:
    """The caller of a call.

    Attributes:
        deadline: Time after which the caller no longer waits; infinite without one.
        gone: Whether the caller has given up.
    """

    deadline: float = math.inf
    gone: bool = False

    @property
    def seconds(self) -> float:
        """Time for which the caller still waits; infinite without a deadline."""
        return self.deadline - time.monotonic()

    def check(self) -> None:
        """End the work if the caller no longer waits; called between the parts of the work."""
        if self.gone or time.monotonic() >= self.deadline:
            raise _Late


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
        self._bytes = 0

    async def run(self, context: Any, work: Callable[[], Answer], *, size: int = 0) -> Answer:
        """The result of ``work``, with its errors.

        Args:
            context: Context of the call.
            work: The work.
            size: Number of bytes of the call's message.

        Raises:
            OverloadedError: Too many calls or bytes wait.
        """
        return await self.run_watched(context, lambda caller: work(), size=size)

    async def run_watched(
        self, context: Any, work: Callable[[Caller], Answer], *, size: int = 0
    ) -> Answer:
        """As :meth:`run`, for work in parts that checks its caller between them."""
        if len(self._running) >= self._most:
            raise OverloadedError(
                f"{len(self._running):,} calls wait, as many as may", retry_after=_RETRY_SECONDS
            )
        if self._bytes and self._bytes + size > WAITING_BYTES:
            raise OverloadedError(
                f"{self._bytes:,} bytes of calls wait, as many as may", retry_after=_RETRY_SECONDS
            )
        seconds = context.time_remaining()
        caller = Caller(math.inf if seconds is None else time.monotonic() + seconds)

        def begin() -> Answer:
            caller.check()
            return work(caller)

        future = self._executor.submit(begin)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        self._bytes += size
        try:
            return await asyncio.wrap_future(future)
        except _Late:
            await abort_late(context)
        finally:
            self._bytes -= size
            caller.gone = True

    def close(self) -> None:
        """End the threads once their work is done; work that waits is not begun."""
        self._executor.shutdown(wait=False, cancel_futures=True)
