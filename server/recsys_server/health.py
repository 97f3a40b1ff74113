"""Health of each service: those that write are NOT_SERVING while the store refuses writes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from recsys.errors import RecsysError
from recsys_server.rollout import Rollout
from recsys_server.services import catalog, interactions

CHECK_SECONDS = 1.0
"""Time between two checks of the store."""
WRITING = (interactions.SERVICE_NAME, catalog.SERVICE_NAME)
"""Services that need a store."""
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_log = logging.getLogger(__name__)


class HealthReports:
    """The standard health service of a worker.

    Retrieval answers from memory and stays SERVING without its store; so does the server as a
    whole, whose health is that of the service "".

    Args:
        services: Names of the services.
        rollout: The bundles that answer; writes go to the store of the active one.

    Example:
        >>> async def report(server, rollout: Rollout) -> HealthReports:
        ...     reports = HealthReports(["recsys.v1.RetrievalService"], rollout)
        ...     reports.add_to(server)
        ...     await reports.begin()
        ...     return reports
    """

    def __init__(self, services: Sequence[str], rollout: Rollout) -> None:
        self._services = services
        self._rollout = rollout
        self._reports = health.aio.HealthServicer()  # type: ignore[attr-defined]
        self._checks = ThreadPoolExecutor(1, "health")  # a store that hangs delays nothing else
        self._task: asyncio.Task[None] | None = None
        self._fault = ""
        self._serving = dict.fromkeys(services, False)

    @property
    def serving(self) -> dict[str, bool]:
        """Whether each service is reported as SERVING."""
        return dict(self._serving)

    @property
    def fault(self) -> str:
        """Why the store refuses writes, or ""."""
        return self._fault

    def add_to(self, server: Any) -> None:
        """Register the calls."""
        health_pb2_grpc.add_HealthServicer_to_server(self._reports, server)

    async def begin(self) -> None:
        """Report SERVING, and check the store from now on."""
        for name in self._services:
            await self._set(name, serving=True)
        if set(WRITING) & set(self._services):
            await self._check()
            self._task = asyncio.create_task(self._watch())

    async def end(self) -> None:
        """Report NOT_SERVING for every service, for good."""
        if self._task is not None:
            self._task.cancel()
        self._serving = dict.fromkeys(self._services, False)
        await self._reports.enter_graceful_shutdown()
        self._checks.shutdown(wait=False, cancel_futures=True)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            with suppress(RuntimeError):  # the threads have ended
                await self._check()

    async def _check(self) -> None:
        before, loop = self._fault, asyncio.get_running_loop()
        self._fault = await loop.run_in_executor(self._checks, self._store_fault)
        if bool(before) == bool(self._fault):
            return
        if self._fault:
            _log.error("writes are refused: %s", self._fault)
        else:
            _log.info("writes are accepted again")
        for name in WRITING:
            await self._set(name, serving=not self._fault)

    async def _set(self, name: str, *, serving: bool) -> None:
        await self._reports.set(name, _SERVING if serving else _NOT_SERVING)
        self._serving[name] = serving

    def _store_fault(self) -> str:
        """Why the store of the active bundle refuses writes, or ""."""
        engine = self._rollout.current.active.engine
        try:
            if engine is not None:
                engine.store.check_writable()
        except RecsysError as error:
            return error.message
        return ""
