"""Lifecycle of a server: listen, report health, and stop in an orderly way.

It serves the bundles of a given rollout; ``recsys_server.processes.worker`` opens them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc
from grpc_channelz.v1 import channelz_pb2_grpc
from grpc_channelz.v1.channelz import aio as channelz_aio  # type: ignore[attr-defined]
from grpc_health.v1 import health
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from recsys.errors import ServiceError
from recsys_server.calls import Calls
from recsys_server.health import HealthReports
from recsys_server.limits import Limits
from recsys_server.messages import ParsedMessages
from recsys_server.metrics.observation import Observation
from recsys_server.operations.configuration import ShownSetting
from recsys_server.operations.overview import Overview, OwnOverview, ServiceState
from recsys_server.operations.report import WorkerReport
from recsys_server.processes.following import BundleFollower
from recsys_server.rollout import Rollout
from recsys_server.security.access import Access
from recsys_server.security.tls import Tls, server_credentials
from recsys_server.service import PICTURE_THREADS, RetrievalService
from recsys_server.services.registration import FurtherServices

FLUSH_SECONDS = 1.0
"""Time for other calls, such as watched health, to end once every response is sent."""


@dataclass(frozen=True, eq=False)
class RetrievalServer:
    """A listening server; see :meth:`start`.

    Example:
        >>> async def serve(rollout: Rollout) -> int:
        ...     server = await RetrievalServer.start(rollout, addresses=["127.0.0.1:0"])
        ...     return await server.stop(grace=5)
    """

    address: str
    _server: grpc.aio.Server
    _calls: Calls
    _further: FurtherServices
    _health: HealthReports
    _report: WorkerReport
    _executors: tuple[ThreadPoolExecutor, ...]

    @classmethod
    async def start(
        cls,
        rollout: Rollout,
        *,
        addresses: Sequence[str] = ("127.0.0.1:50051",),
        threads: int | None = None,
        limits: Limits | None = None,
        follower: BundleFollower | None = None,
        tls: Tls | None = None,
        access: Access | None = None,
        observation: Observation | None = None,
        overview: Overview | None = None,
        settings: Sequence[ShownSetting] = (),
    ) -> RetrievalServer:
        """Listen, with health for the server and for each of its services.

        Args:
            rollout: The bundles that answer.
            addresses: Addresses, ``HOST:PORT``. Port 0 takes a free one. Other servers can share a
                port, which ``recsys_server.processes.addresses`` reserves for them.
            threads: Number of retrievals that run at once; by default one per CPU.
            limits: Largest request that is answered.
            follower: Follower of the folder of bundles, for ``BundleService``; None without one.
            tls: Certificates; None for calls that are not encrypted.
            access: Tokens that callers need; None for none.
            observation: Metrics, log and traces of the calls.
            overview: State of the whole service; by default that of this server alone.
            settings: Settings of the service, as operators see them.

        Raises:
            ServiceError: An address cannot be listened on.
            ConfigError: A certificate cannot be read.
        """
        credentials = server_credentials(tls) if tls is not None and tls.is_on else None
        limits, observation = limits or Limits(), observation or Observation()
        threads = threads or os.cpu_count() or 1
        executor = ThreadPoolExecutor(threads, thread_name_prefix="retrieval")
        pictures = ThreadPoolExecutor(PICTURE_THREADS, thread_name_prefix="pictures")
        service = RetrievalService(
            rollout,
            executor=executor,
            picture_executor=pictures,
            limits=limits,
            threads=threads,
            metrics=observation.metrics,
        )
        server = _made_server(limits, observation)
        calls = Calls(server, access=access, observation=observation)
        service.add_to(calls)
        further = FurtherServices(
            rollout, limits, follower=follower, metrics=observation.metrics, access=access
        )
        reports = HealthReports(further.names, rollout)
        report = WorkerReport(
            *(rollout, observation, reports, service.queue), lambda: calls.in_flight
        )
        engine = rollout.current.active.engine
        state = ServiceState(
            overview or OwnOverview(report.with_gauges),
            settings,
            threshold=observation.slow_requests.threshold,
            backend="" if engine is None else engine.store.backend,
        )
        further.add_to(calls, state)
        _add_standard_services(ParsedMessages(calls), reports, further.names, observation)
        try:
            bound = [_listen(server, address, credentials) for address in addresses]
        except ServiceError:
            for each in (executor, pictures):
                each.shutdown()
            raise
        await server.start()
        await reports.begin()
        return cls(bound[0], server, calls, further, reports, report, (executor, pictures))

    def report(self) -> dict[str, Any]:
        """What the worker states about itself now, as JSON."""
        return self._report.make()

    @property
    def in_flight(self) -> int:
        """Number of requests that wait, run or are being answered."""
        return self._calls.in_flight

    async def stop(self, grace: float, *, drain: float = 0.0) -> int:
        """Report NOT_SERVING, stop listening, and finish the requests in flight.

        GOAWAY lets callers connect elsewhere; their gRPC sends a request that has not begun there.

        Args:
            grace: Seconds for the requests in flight.
            drain: Seconds between the report of NOT_SERVING and the end of listening.

        Returns:
            Number of requests that were cut off.
        """
        await self._health.end()
        await asyncio.sleep(drain)
        ending = asyncio.ensure_future(self._server.stop(grace + FLUSH_SECONDS))
        await asyncio.sleep(0)  # begin it
        cut_off = await self._calls.wait_idle(grace)
        if not cut_off:
            await asyncio.wait({ending}, timeout=FLUSH_SECONDS)
        await self._server.stop(None)
        for executor in self._executors:
            executor.shutdown(wait=False, cancel_futures=True)
        self._further.close()
        return cut_off


def _made_server(limits: Limits, observation: Observation) -> grpc.aio.Server:
    return grpc.aio.server(
        interceptors=observation.interceptors,
        options=[
            ("grpc.so_reuseport", 1),
            ("grpc.max_receive_message_length", 4 * limits.message),
            ("grpc.max_send_message_length", -1),
            ("grpc.enable_channelz", int(observation.channelz)),
        ],
    )


def _add_standard_services(
    server: Any, reports: HealthReports, names: Sequence[str], observation: Observation
) -> None:
    """Health, reflection and, where it is wanted, channelz."""
    reports.add_to(server)
    if observation.channelz:
        statistics = channelz_aio.ChannelzServicer()
        channelz_pb2_grpc.add_ChannelzServicer_to_server(statistics, server)
    reflected = (*names, health.SERVICE_NAME, reflection.SERVICE_NAME)
    described = reflection.aio.ReflectionServicer(reflected)  # type: ignore[attr-defined]
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(described, server)


def _listen(server: grpc.aio.Server, address: str, credentials: Any) -> str:
    """Listen on an address; returns it with its port."""
    try:
        if credentials is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise ServiceError(
            f"cannot listen on {address}; is the port taken? Choose another, or 0 for a free one",
            field="port",
        ) from error
    return f"{address.rpartition(':')[0]}:{port}"
