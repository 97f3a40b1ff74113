"""The life of a server: listen, say so through standard health, and on a signal stop gracefully.

It knows how to serve a retriever, not where one comes from; that is the business of ``__main__``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from recsys.errors import ServiceError
from server.limits import Limits
from server.pb.recsys.v1.retrieval_pb2_grpc import add_RetrievalServiceServicer_to_server
from server.service import SERVICE_NAME, RetrievalService, Retriever

FLUSH_SECONDS = 1.0
"""How long answers that are ready may take to leave once no request is in flight."""

_log = logging.getLogger(__name__)


class RetrievalServer:
    """A listening server.

    Attributes:
        address: Where it listens, as HOST:PORT.

    Example:
        >>> async def life(retriever: Retriever) -> int:
        ...     server = await RetrievalServer.start(retriever, "v1", port=0)
        ...     return await server.stop(grace=5)
    """

    def __init__(
        self,
        server: grpc.aio.Server,
        service: RetrievalService,
        health_service: Any,
        executor: ThreadPoolExecutor,
        address: str,
    ) -> None:
        self._server = server
        self._service = service
        self._health = health_service
        self._executor = executor
        self.address = address

    @classmethod
    async def start(
        cls,
        retriever: Retriever,
        bundle_version: str,
        *,
        host: str = "127.0.0.1",
        port: int = 50051,
        threads: int | None = None,
        limits: Limits | None = None,
    ) -> RetrievalServer:
        """Listen, with health SERVING for the server and for ``recsys.v1.RetrievalService``.

        Args:
            retriever: Loaded, and ready to answer.
            bundle_version: Named in every response.
            host: The interface to listen on.
            port: The port; 0 takes a free one.
            threads: How many retrievals run at once; by default one a CPU.
            limits: The largest request that is answered.

        Raises:
            ServiceError: The port cannot be listened on.
        """
        limits = limits or Limits()
        executor = ThreadPoolExecutor(threads or os.cpu_count(), thread_name_prefix="retrieval")
        service = RetrievalService(retriever, bundle_version, executor=executor, limits=limits)
        server = grpc.aio.server(
            options=[
                ("grpc.so_reuseport", 0),  # a port that is taken is an error, not shared
                ("grpc.max_receive_message_length", 4 * limits.message),
                ("grpc.max_send_message_length", -1),
            ]
        )
        add_RetrievalServiceServicer_to_server(service, server)
        health_service = health.aio.HealthServicer()  # type: ignore[attr-defined]
        health_pb2_grpc.add_HealthServicer_to_server(health_service, server)
        names = (SERVICE_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
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
        return cls(server, service, health_service, executor, f"{name}:{bound}")

    @property
    def in_flight(self) -> int:
        """How many requests are being answered or wait to be."""
        return self._service.in_flight

    async def stop(self, grace: float) -> int:
        """Say NOT_SERVING, refuse new requests, finish those in flight, then stop listening.

        Args:
            grace: Seconds that requests in flight may take.

        Returns:
            How many requests were cut off.
        """
        await self._health.enter_graceful_shutdown()
        cut_off = await self._service.drain(grace)
        await self._server.stop(FLUSH_SECONDS if not cut_off else 0)
        self._executor.shutdown(wait=False, cancel_futures=True)
        return cut_off


async def serve_until_signal(
    retriever: Retriever,
    bundle_version: str,
    *,
    host: str,
    port: int,
    grace: float,
    limits: Limits,
    announce: Callable[[str], None],
) -> int:
    """Serve until SIGTERM or SIGINT, then stop gracefully.

    Args:
        retriever: Loaded, and ready to answer.
        bundle_version: Named in every response.
        host: The interface to listen on.
        port: The port; 0 takes a free one.
        grace: Seconds that requests in flight may take once a signal came.
        limits: The largest request that is answered.
        announce: Told the address, once requests are answered there.

    Returns:
        How many requests were cut off.

    Raises:
        ServiceError: The port cannot be listened on.
    """
    asked_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked_to_stop.set)
    server = await RetrievalServer.start(
        retriever, bundle_version, host=host, port=port, limits=limits
    )
    _log.info("serving bundle %s at %s", bundle_version, server.address)
    announce(server.address)
    await asked_to_stop.wait()
    _log.info("stopping; requests in flight have %g seconds", grace)
    cut_off = await server.stop(grace)
    if cut_off:
        _log.warning("stopped; %d requests were cut off after %g seconds", cut_off, grace)
    else:
        _log.info("stopped; every request was answered")
    return cut_off


def end_process(cut_off: int) -> None:
    """Let the process end with code 0, at once where requests were cut off.

    Their threads still retrieve, and Python would wait for them beyond the grace period.
    """
    if cut_off:
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)
