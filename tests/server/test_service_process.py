"""The service as processes: signals, exit codes, and workers that die."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from os import kill
from pathlib import Path

import grpc
import pytest

from recsys.errors import ServiceError
from recsys_client import RecsysClient
from recsys_client.pb.recsys.v1 import interaction_pb2 as pb
from recsys_client.pb.recsys.v1.interaction_pb2_grpc import InteractionServiceStub
from recsys_client.pb.recsys.v1.retrieval_pb2 import Query, RetrieveRequest
from recsys_client.pb.recsys.v1.retrieval_pb2_grpc import RetrievalServiceStub
from tests import forked
from tests.server.line_worker import OPEN
from tests.server.service_world import WAIT, samples, until

RECORDED = ("recsys_calls_total", ("RecordInteractions", "OK"))
Start = Callable[..., forked.Program]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a service with some settings."""
    with ExitStack() as running:
        yield lambda **settings: running.enter_context(
            forked.started(
                "tests.server.line_service", *(f"{key}={each}" for key, each in settings.items())
            )
        )


def test_a_signal_lets_the_request_in_flight_finish_and_ends_with_code_0(start: Start) -> None:
    service = start(grace=WAIT)
    with RecsysClient(_address(service), timeout=WAIT) as client, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.retrieve, user_id="slow", k=2)
        _wait_for_a_query(service)
        service.send_signal(signal.SIGHUP)
        service.wait_for(lambda: "are read again when they change" in service.err.read_text())
        service.send_signal(signal.SIGINT)
        with pytest.raises(ServiceError):
            while True:
                client.with_timeout(WAIT).retrieve(user_id="ann", k=2)
        assert not slow.done()
        kill(_workers(service)[0], OPEN)
        assert len(slow.result(WAIT).candidates) == 2
    assert service.wait(WAIT).returncode == 0
    assert "every request that had begun was answered" in service.err.read_text()


def test_neither_a_long_call_nor_the_work_of_an_expired_one_keeps_the_process(
    start: Start,
) -> None:
    service = start(grace=0.2, threads=2)
    with RecsysClient(_address(service), timeout=WAIT) as client, ThreadPoolExecutor(1) as pool:
        with pytest.raises(ServiceError, match="in time"):
            client.with_timeout(0.5).retrieve(user_id="slow", k=2)
        slow = pool.submit(client.retrieve, user_id="slow", k=2)
        service.wait_for(lambda: service.err.read_text().count("entered") == 2)
        service.send_signal(signal.SIGTERM)
        with pytest.raises(ServiceError):
            slow.result(WAIT)
    assert service.wait(WAIT).returncode == 0
    assert "1 requests were cut off after 0.2 seconds" in service.err.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_the_service_is_ready_ends_it_with_code_0(
    start: Start, number: signal.Signals
) -> None:
    service = start()
    service.wait_for(lambda: "starting 1 worker" in service.err.read_text())
    service.send_signal(number)
    done = service.wait(WAIT)
    assert (done.returncode, done.stdout) == (0, "")
    assert "stopping 1 worker" in done.stderr and "Traceback" not in done.stderr


def test_two_workers_are_one_service_until_both_end(start: Start, tmp_path: Path) -> None:
    """One start, since it takes seconds: interactions, the metrics, dead workers, the end."""
    store, worker = tmp_path / "store.db", "tests.server.live_worker"
    service = start(workers=2, grace=0.2, worker=worker, store=store, metrics_port=0)
    address = _address(service)
    _record_and_retrieve(address)
    page = re.search(r"http://(\S+)/metrics", service.err.read_text())
    assert page is not None
    # The workers report once per second, and the counts of a dead one stay.
    until(lambda: samples(page[1]).get(RECORDED) == 10)
    first, second = _workers(service)
    with RecsysClient(address, timeout=WAIT) as client:
        _check_status(client, {first, second})
    kill(first, signal.SIGKILL)
    service.wait_for(lambda: len(_workers(service)) == 3)
    assert "died (SIGKILL)" in service.err.read_text()
    found = samples(page[1])
    assert found["recsys_workers_replaced_total", ()] == 1 and found[RECORDED] == 10
    kill(second, signal.SIGKILL)
    with RecsysClient(address, timeout=WAIT) as client:
        client.wait_ready(WAIT)
        assert client.get_status().workers_replaced in (1, 2)
        assert client.retrieve(user_id="new", k=1).watermark == 10
        service.send_signal(signal.SIGKILL)  # without a supervisor, its workers end
        service.process.join(WAIT)
        with pytest.raises(ServiceError):
            while True:
                client.retrieve(user_id="new", k=1)


def _record_and_retrieve(address: str) -> None:
    """Record through one worker what the very next answer of the other one must include."""
    with ExitStack() as opened:
        found: dict[str, grpc.Channel] = {}
        while len(found) < 2:  # connections of their own, which the system spreads over workers
            options = [("grpc.use_local_subchannel_pool", 1)]
            channel = opened.enter_context(grpc.insecure_channel(address, options))
            found.setdefault(_process_of(channel), channel)
        channels = list(found.values())
        for number in range(10):
            seen = pb.Interaction(user_id="new", item_id=f"i{number % 8}", time=number)
            receipt = InteractionServiceStub(channels[number % 2]).RecordInteractions(
                pb.RecordInteractionsRequest(interactions=[seen]), timeout=WAIT
            )
            other = RetrievalServiceStub(channels[1 - number % 2])
            answer = other.Retrieve(_request("new"), timeout=WAIT)
            assert answer.watermark == receipt.watermark == number + 1
            assert seen.item_id not in [each.item_id for each in answer.candidates]


def _check_status(client: RecsysClient, processes: set[int]) -> None:
    """Check that the worker which answers states what all of them have reported."""
    status = client.get_status()
    assert [each.number for each in status.workers] == [0, 1]
    assert {each.process_id for each in status.workers} == processes
    assert {each.state for each in status.workers} == {"ready"} and status.active.workers == 2
    assert {each.workers_serving for each in status.services} == {2}
    assert all(each.calls >= 5 for each in status.workers) and status.workers_replaced == 0
    minutes = client.get_time_series()
    methods = [each for minute in minutes for each in minute.methods]
    calls = [each.calls for each in methods if each.method == "RecordInteractions"]
    assert sum(calls) == 10 == sum(each.interactions for each in minutes)
    assert status.store is not None and not status.alerts


def _process_of(channel: grpc.Channel) -> str:
    """Process that a channel is connected to, with which the ids of its failed requests begin."""
    with pytest.raises(grpc.RpcError) as caught:
        RetrievalServiceStub(channel).Retrieve(_request("nobody"), timeout=WAIT)
    request_id: str = dict(caught.value.trailing_metadata())["x-request-id"]
    return request_id.partition("-")[0]


def _request(user_id: str) -> RetrieveRequest:
    return RetrieveRequest(query=Query(user_id=user_id), k=8)


def _address(service: forked.Program) -> str:
    """Its first line of output."""
    service.wait_for(lambda: "\n" in service.out.read_text())
    return service.out.read_text().splitlines()[0]


def _workers(service: forked.Program) -> list[int]:
    """Process ids of the workers that have been ready, in this order."""
    log = service.err.read_text()
    return [int(number) for number in re.findall(r"\(process (\d+)\) is ready", log)]


def _wait_for_a_query(service: forked.Program) -> None:
    service.wait_for(lambda: "entered\n" in service.err.read_text())
