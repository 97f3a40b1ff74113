"""Lifecycle of a server: listen, report health, and stop gracefully on a signal.

It serves the bundles of a given rollout; ``serving`` opens them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from recsys.errors import ServiceError
from recsys_server.limits import Limits
from recsys_server.messages import ParsedMessages
from recsys_server.rollout import Rollout
from recsys_server.service import SERVICE_NAME, RetrievalService

FLUSH_SECONDS = 1.0
"""Time for other calls, such as watched health, to end once every response is sent."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class RetrievalServer:
    """A listening server; see :meth:`start`.

    Example:
        >>> async def serve(rollout: Rollout) -> int:
        ...     server = await RetrievalServer.start(rollout, port=0)
        ...     return await server.stop(grace=5)
    """

    address: str
    _server: grpc.aio.Server
    _service: RetrievalService
    _health: Any
    _executor: ThreadPoolExecutor

    @classmethod
    async def start(
        cls,
        rollout: Rollout,
        *,
        host: str = "127.0.0.1",
        port: int = 50051,
        threads: int | None = None,
        limits: Limits | None = None,
    ) -> RetrievalServer:
        """Listen, with health SERVING for the server and for ``recsys.v1.RetrievalService``.

        Port 0 takes a free one. By default one retrieval per CPU runs at once.

        Raises:
            ServiceError: The port cannot be listened on.
        """
        limits = limits or Limits()
        threads = threads or os.cpu_count() or 1
        executor = ThreadPoolExecutor(threads, thread_name_prefix="retrieval")
        service = RetrievalService(rollout, executor=executor, limits=limits, threads=threads)
        server = grpc.aio.server(
            options=[
                ("grpc.so_reuseport", 0),  # a port that is taken is an error, not shared
                ("grpc.max_receive_message_length", 4 * limits.message),
                ("grpc.max_send_message_length", -1),
            ]
        )
        service.add_to(server)
        parsed = ParsedMessages(server)
        health_service = health.aio.HealthServicer()  # type: ignore[attr-defined]
        health_pb2_grpc.add_HealthServicer_to_server(health_service, parsed)
        names = (SERVICE_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME)
        described = reflection.aio.ReflectionServicer(names)  # type: ignore[attr-defined]
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(described, parsed)
        name = f"[{host}]" if ":" in host else host
        try:
            bound = server.add_insecure_port(f"{name}:{port}")
        except RuntimeError as error:
            executor.shutdown()
            raise ServiceError(
                f"cannot listen on {name}:{port}; is the port taken? Choose another, or 0 for a"
                " free one",
                field="port",
            ) from error
        await server.start()
        await health_service.set(SERVICE_NAME, health_pb2.HealthCheckResponse.SERVING)
        return cls(f"{name}:{bound}", server, service, health_service, executor)

    @property
    def in_flight(self) -> int:
        """Number of requests that wait, run or are being answered."""
        return self._service.in_flight

    async def stop(self, grace: float) -> int:
        """Report NOT_SERVING, refuse new requests, finish those in flight, then stop listening.

        Requests in flight have ``grace`` seconds; returns the number that were cut off.
        """
        await self._health.enter_graceful_shutdown()
        cut_off = await self._service.drain(grace)
        await self._server.stop(FLUSH_SECONDS if not cut_off else 0)
        self._executor.shutdown(wait=False, cancel_futures=True)
        return cut_off


async def serve_until_signal(
    rollout: Rollout,
    *,
    host: str,
    port: int,
    grace: float,
    limits: Limits,
    announce: Callable[[str], None],
) -> int:
    """Serve until SIGTERM or SIGINT, then stop gracefully; returns the number of cut-off requests.

    ``announce`` is called with the address once the server is ready.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = await RetrievalServer.start(rollout, host=host, port=port, limits=limits)
    _log.info("serving bundle %s at %s", rollout.current.active.version, server.address)
    announce(server.address)
    await stopping.wait()
    _log.info("stopping; requests in flight have %g seconds", grace)
    cut_off = await server.stop(grace)
    if cut_off:
        _log.warning("stopped; %d requests were cut off after %g seconds", cut_off, grace)
    else:
        _log.info("stopped; every request was answered")
    return cut_off


def end_process(cut_off: int) -> None:
    """End the process with code 0, at once if requests were cut off.

    Their threads still run, and Python would wait for them beyond the grace period.
    """
    if cut_off:
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)
