"""The server as a process: signals, exit codes, and what a killed one looks like from outside."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recsys.errors import ServiceError
from recsys_client import RecsysClient
from tests.server.service_world import WAIT

Start = Callable[[float], "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a server with a grace period; its first line of output is the address."""
    running: list[subprocess.Popen[str]] = []

    def launch(grace: float) -> subprocess.Popen[str]:
        running.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.server.service_world", str(grace)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[2],
            )
        )
        return running[-1]

    yield launch
    for process in running:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_request_in_flight_finish_and_ends_with_code_0(
    start: Start, number: signal.Signals
) -> None:
    process = start(WAIT)
    with RecsysClient(_line(process), timeout=WAIT) as client, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.retrieve, user_id="slow", k=2)
        assert _line(process) == "entered"
        process.send_signal(number)
        with pytest.raises(ServiceError):
            while True:
                client.retrieve(user_id="ann", k=2)
        assert not slow.done()
        assert process.stdin is not None
        process.stdin.write("open\n")
        process.stdin.flush()
        assert len(slow.result(WAIT).candidates) == 2
    assert process.wait(WAIT) == 0


def test_a_call_longer_than_the_grace_period_does_not_keep_the_process(start: Start) -> None:
    process = start(0.2)
    with RecsysClient(_line(process), timeout=WAIT) as client, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.retrieve, user_id="slow", k=2)
        assert _line(process) == "entered"
        process.terminate()
        with pytest.raises(ServiceError):
            slow.result(WAIT)
    assert process.wait(WAIT) == 0


def test_a_killed_server_is_a_service_error_not_a_hang(start: Start) -> None:
    process = start(5)
    address = _line(process)
    with RecsysClient(address, timeout=WAIT) as client, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.retrieve, user_id="slow", k=2)
        assert _line(process) == "entered"
        process.kill()
        with pytest.raises(ServiceError, match=address):
            slow.result(WAIT)
        with pytest.raises(ServiceError, match=f"no service answered at {address}"):
            client.retrieve(user_id="ann", k=2)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
