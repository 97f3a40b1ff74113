"""How a worker learns the state of the whole service: from its supervisor, or from itself."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

from recsys.errors import ServiceError
from recsys_server.operations.configuration import ShownSetting
from recsys_server.operations.record import ServiceRecord
from recsys_server.operations.slow import LISTED_SECONDS

ASK_SECONDS = 5.0
"""Time within which a supervisor answers."""
FRESH_SECONDS = 0.5
"""Time for which an answer is used again, so that calls do not burden the supervisor."""


class Overview(Protocol):
    """The state of a service."""

    async def ask(self, about: str, most: int = 0) -> dict[str, Any]:
        """The state as JSON; see ``ServiceRecord.answer``.

        Raises:
            ServiceError: There was no answer in time.
        """


@dataclass(frozen=True, eq=False)
class ServiceState:
    """What ``OperationsService`` shows.

    Attributes:
        overview: State of the service.
        settings: Settings of the service.
        threshold: Seconds from which a request is listed as slow.
        backend: Database of the store, or "" without one.

    Example:
        >>> def state(overview: Overview) -> ServiceState:
        ...     return ServiceState(overview, threshold=0.5)
    """

    overview: Overview
    settings: Sequence[ShownSetting] = ()
    threshold: float = LISTED_SECONDS
    backend: str = ""


class OwnOverview:
    """The state of a service that is one process without a supervisor.

    Args:
        report: Makes a report of this process.

    Example:
        >>> async def state(report: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        ...     return await OwnOverview(report).ask("status")
    """

    def __init__(self, report: Callable[[], dict[str, Any]]) -> None:
        self._report = report
        self._record = ServiceRecord(1)
        self._record.begin(0, os.getpid())

    async def ask(self, about: str, most: int = 0) -> dict[str, Any]:
        """The state as JSON."""
        self._record.take(0, await asyncio.to_thread(self._report))
        return self._record.answer(about, most)


class SupervisorLine:
    """The line of a worker to its supervisor: reports and questions there, answers back.

    Args:
        descriptor: File that the supervisor reads.

    Example:
        >>> async def workers(line: SupervisorLine) -> int:
        ...     return len((await line.ask("status"))["workers"])
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._executor = ThreadPoolExecutor(1, "reports")
        self._loop = asyncio.get_running_loop()
        self._numbers = count()
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._latest: dict[tuple[str, int], tuple[float, asyncio.Task[dict[str, Any]]]] = {}

    async def send(self, message: dict[str, Any]) -> None:
        """Write a message as one line of JSON."""
        line = json.dumps(message).encode() + b"\n"
        with suppress(OSError):  # the supervisor is gone
            await self._loop.run_in_executor(self._executor, _write, self._descriptor, line)

    async def ask(self, about: str, most: int = 0) -> dict[str, Any]:
        """The state as JSON, at most ``FRESH_SECONDS`` old; calls at the same time share it."""
        now = time.monotonic()
        begun, task = self._latest.get((about, most), (-FRESH_SECONDS, None))
        if task is None or (task.done() and (now - begun >= FRESH_SECONDS or _failed(task))):
            task = asyncio.create_task(self._ask(about, most))
            self._latest[about, most] = now, task
        return await asyncio.shield(task)

    def take(self, line: bytes) -> None:
        """Take an answer of the supervisor, in any thread."""
        answer = json.loads(line)
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._resolve, answer)

    async def _ask(self, about: str, most: int) -> dict[str, Any]:
        number = next(self._numbers)
        answer = self._waiting[number] = self._loop.create_future()
        try:
            await self.send({"ask": number, "about": about, "most": most})
            return await asyncio.wait_for(answer, ASK_SECONDS)
        except asyncio.TimeoutError:
            raise ServiceError(
                f"the supervisor has not answered within {ASK_SECONDS:g} seconds; try again"
            ) from None
        finally:
            self._waiting.pop(number, None)

    def _resolve(self, answer: dict[str, Any]) -> None:
        waiting = self._waiting.get(answer["ask"])
        if waiting is not None and not waiting.done():
            waiting.set_result(answer["answer"])


def _failed(task: asyncio.Task[dict[str, Any]]) -> bool:
    return task.cancelled() or task.exception() is not None


def _write(descriptor: int, line: bytes) -> None:
    while line:
        line = line[os.write(descriptor, line) :]
