"""Health, reflection, deadlines, cancelled calls and the graceful stop, within one process."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from recsys.errors import ServiceError
from recsys.retrieval import Query
from recsys_client import RecsysClient
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_client.pb.recsys.v1.retrieval_pb2_grpc import RetrievalServiceStub
from recsys_server.service import SERVICE_NAME
from tests.server.service_world import WAIT, LineRetriever, served, until

Code = grpc.StatusCode
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def retriever() -> Iterator[LineRetriever]:
    retriever = LineRetriever()
    yield retriever
    retriever.gate.set()


@pytest.mark.parametrize("name", ["", "recsys.v1.RetrievalService"])
def test_health_is_reported_for_the_server_and_for_the_service(name: str) -> None:
    with served(LineRetriever()) as server, grpc.insecure_channel(server.address) as channel:
        request = health_pb2.HealthCheckRequest(service=name)
        assert health_pb2_grpc.HealthStub(channel).Check(request, timeout=WAIT).status == SERVING


def test_health_of_an_unknown_service_is_not_found() -> None:
    with served(LineRetriever()) as server, grpc.insecure_channel(server.address) as channel:
        request = health_pb2.HealthCheckRequest(service="recsys.v1.Nothing")
        with pytest.raises(grpc.RpcError) as caught:
            health_pb2_grpc.HealthStub(channel).Check(request, timeout=WAIT)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_client_waits_until_the_service_is_ready() -> None:
    with served(LineRetriever()) as server, RecsysClient(server.address, timeout=WAIT) as client:
        client.wait_ready(WAIT)
        assert client.is_serving()


def test_reflection_lists_the_services_and_describes_ours() -> None:
    with served(LineRetriever()) as server, grpc.insecure_channel(server.address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert {SERVICE_NAME, "grpc.health.v1.Health"} <= set(database.get_services())
        described = database.FindFileContainingSymbol(SERVICE_NAME)
        methods = [method.name for method in described.service[0].method]
        assert methods == ["Retrieve", "BatchRetrieve", "Describe"]


def test_a_stop_finishes_running_calls_and_takes_no_new_ones(
    retriever: LineRetriever,
) -> None:
    with (
        served(retriever) as server,
        RecsysClient(server.address, timeout=WAIT) as client,
        ThreadPoolExecutor(2) as pool,
    ):
        slow = pool.submit(client.retrieve, user_id="slow", k=2)
        assert retriever.entered.acquire(timeout=WAIT)
        stopping = pool.submit(server.stop, WAIT)
        with pytest.raises(ServiceError):
            while True:
                client.retrieve(user_id="ann", k=2)
        assert not slow.done() and not stopping.done()
        retriever.gate.set()
        assert len(slow.result(WAIT).candidates) == 2
        assert stopping.result(WAIT) == 0


def test_a_watcher_of_health_sees_the_stop_and_does_not_delay_it() -> None:
    with served(LineRetriever()) as server, grpc.insecure_channel(server.address) as channel:
        request = health_pb2.HealthCheckRequest(service=SERVICE_NAME)
        watched = health_pb2_grpc.HealthStub(channel).Watch(request, timeout=10 * WAIT)
        assert next(watched).status == SERVING
        # A watcher that kept the server would outlast the wait for its stop, an error.
        assert server.stop(10 * WAIT) == 0
        assert next(watched).status == NOT_SERVING


def test_a_request_beyond_the_grace_period_is_cut_off(retriever: LineRetriever) -> None:
    with (
        served(retriever) as server,
        RecsysClient(server.address, timeout=WAIT) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        slow = pool.submit(client.retrieve, user_id="slow", k=2)
        assert retriever.entered.acquire(timeout=WAIT)
        assert server.stop(0.1) == 1
        with pytest.raises(ServiceError):
            slow.result(WAIT)


def test_a_request_whose_deadline_passes_in_the_queue_leaves_it(
    retriever: LineRetriever,
) -> None:
    with (
        served(retriever, threads=1) as server,
        RecsysClient(server.address, timeout=WAIT) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        slow = pool.submit(client.retrieve, user_id="slow", k=2)
        assert retriever.entered.acquire(timeout=WAIT)
        with pytest.raises(ServiceError, match="no answer from .* in time"):
            client.with_timeout(0.2).retrieve(user_id="late", k=2)
        until(lambda: server.server.in_flight == 1)
        assert not slow.done()
        retriever.gate.set()
        slow.result(WAIT)


def test_a_call_that_its_client_cancelled_is_never_begun(retriever: LineRetriever) -> None:
    with (
        served(retriever, threads=1) as server,
        RecsysClient(server.address, timeout=WAIT) as client,
        grpc.insecure_channel(server.address) as channel,
        ThreadPoolExecutor(1) as pool,
    ):
        slow = pool.submit(client.retrieve, user_id="slow", k=2)
        assert retriever.entered.acquire(timeout=WAIT)
        request = pb.RetrieveRequest(query=pb.Query(user_id="regretted"), k=2)
        call = RetrievalServiceStub(channel).Retrieve.future(request)
        until(lambda: server.server.in_flight == 2)
        call.cancel()
        until(lambda: server.server.in_flight == 1)
        retriever.gate.set()
        slow.result(WAIT)
        client.retrieve(user_id="next", k=2)
        assert Query(user_id="regretted") not in retriever.calls


def test_while_it_drains_it_is_not_serving_and_still_answers() -> None:
    with (
        served(LineRetriever()) as server,
        RecsysClient(server.address, timeout=WAIT) as client,
    ):
        stopping = asyncio.run_coroutine_threadsafe(server.server.stop(0, drain=WAIT), server.loop)
        until(lambda: not client.is_serving())
        assert client.retrieve(user_id="ann", k=2).candidates
        stopping.cancel()


def test_each_call_that_a_stop_finds_begun_is_answered(retriever: LineRetriever) -> None:
    with served(retriever) as server, grpc.insecure_channel(server.address) as channel:
        call, numbers = RetrievalServiceStub(channel).Retrieve, count()
        codes: Counter[Code] = Counter()

        def send() -> None:
            while not codes[Code.UNAVAILABLE]:
                # Each is another request, so that no cache answers it.
                query = pb.Query(user_id=f"user-{next(numbers)}")
                try:
                    call(pb.RetrieveRequest(query=query, k=2), timeout=WAIT)
                    codes[Code.OK] += 1
                except grpc.RpcError as error:
                    codes[error.code()] += 1

        with ThreadPoolExecutor(16) as pool:
            sending = [pool.submit(send) for _ in range(16)]
            until(lambda: codes[Code.OK] > 50)
            assert server.stop(WAIT) == 0
            for each in sending:
                each.result(WAIT)
        assert len(retriever.calls) == codes[Code.OK]
        # gRPC itself cancels a call that arrives before its caller has read the GOAWAY.
        assert codes.keys() <= {Code.OK, Code.UNAVAILABLE, Code.CANCELLED}


def test_requests_that_block_leave_health_responsive(retriever: LineRetriever) -> None:
    with (
        served(retriever, threads=1) as server,
        RecsysClient(server.address, timeout=WAIT) as client,
        ThreadPoolExecutor(4) as pool,
    ):
        waiting = [pool.submit(client.retrieve, user_id="slow", k=2) for _ in range(4)]
        assert retriever.entered.acquire(timeout=WAIT)
        assert client.is_serving()
        retriever.gate.set()
        assert all(call.result(WAIT).candidates for call in waiting)
