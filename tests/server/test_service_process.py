"""The server as a process: signals, exit codes, and what a killed one looks like from outside."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from recsys.errors import ServiceError
from recsys_client import RecsysClient
from tests import forked
from tests.server.service_world import OPEN, WAIT

Start = Callable[[float], forked.Program]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a server with a grace period."""
    with ExitStack() as running:
        yield lambda grace: running.enter_context(
            forked.started("tests.server.service_world", grace)
        )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_request_in_flight_finish_and_ends_with_code_0(
    start: Start, number: signal.Signals
) -> None:
    server = start(WAIT)
    with RecsysClient(_address(server), timeout=WAIT) as client, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.retrieve, user_id="slow", k=2)
        _wait_for_a_query(server)
        server.send_signal(number)
        with pytest.raises(ServiceError):
            while True:
                client.retrieve(user_id="ann", k=2)
        assert not slow.done()
        server.send_signal(OPEN)
        assert len(slow.result(WAIT).candidates) == 2
    assert server.wait(WAIT).returncode == 0


def test_a_call_longer_than_the_grace_period_does_not_keep_the_process(start: Start) -> None:
    server = start(0.2)
    with RecsysClient(_address(server), timeout=WAIT) as client, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.retrieve, user_id="slow", k=2)
        _wait_for_a_query(server)
        server.send_signal(signal.SIGTERM)
        with pytest.raises(ServiceError):
            slow.result(WAIT)
    assert server.wait(WAIT).returncode == 0


def test_a_killed_server_is_a_service_error_not_a_hang(start: Start) -> None:
    server = start(5)
    address = _address(server)
    with RecsysClient(address, timeout=WAIT) as client, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.retrieve, user_id="slow", k=2)
        _wait_for_a_query(server)
        server.send_signal(signal.SIGKILL)
        with pytest.raises(ServiceError, match=address):
            slow.result(WAIT)
        with pytest.raises(ServiceError, match=f"no service answered at {address}"):
            client.retrieve(user_id="ann", k=2)


def _address(server: forked.Program) -> str:
    """Its first line of output."""
    server.wait_for(lambda: "\n" in server.out.read_text())
    return server.out.read_text().splitlines()[0]


def _wait_for_a_query(server: forked.Program) -> None:
    server.wait_for(lambda: "entered\n" in server.out.read_text())
