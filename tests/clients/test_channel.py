"""Connections of the clients: repetitions, proxies, tokens."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from recsys_client import (
    AsyncRecsysClient,
    Interaction,
    InvalidRequestError,
    RecsysClient,
    ServiceError,
)
from recsys_client.channel import REPEATABLE, channel_options, is_loopback, service_config
from recsys_client.pb.recsys.v1 import (
    bundle_pb2,
    catalog_pb2,
    interaction_pb2,
    operations_pb2,
    quality_pb2,
    retrieval_pb2,
)
from tests.server.service_world import WAIT

UNSAFE = {
    *("StreamInteractions", "ActivateBundle", "RollbackBundle", "SetCanary"),
    *("CreateToken", "RevokeToken"),
}


class Flaky(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Answers a call when it comes the third time; keeps what it was sent."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.metadata: list[tuple[str, str | bytes]] = []

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        def answer(raw: bytes, context: Any) -> bytes:
            self.requests.append(raw)
            self.metadata = list(context.invocation_metadata())
            if len(self.requests) < 3:
                context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture
def flaky() -> Iterator[tuple[Flaky, str]]:
    handler, server = Flaky(), grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield handler, f"127.0.0.1:{port}"
    server.stop(0).wait()


def test_a_write_is_repeated_with_the_same_key(flaky: tuple[Flaky, str]) -> None:
    handler, address = flaky
    with RecsysClient(address, timeout=WAIT, token="secret") as client:
        client.record_interactions([Interaction("ann", "lamp")])
    first, *others = handler.requests
    assert others == [first, first]
    message = interaction_pb2.RecordInteractionsRequest.FromString(first)
    assert message.idempotency_key and message.interactions[0].time > 1_700_000_000
    assert ("authorization", "Bearer secret") in handler.metadata


def test_a_change_of_bundles_is_not_repeated(flaky: tuple[Flaky, str]) -> None:
    handler, address = flaky
    with RecsysClient(address, timeout=WAIT) as client, pytest.raises(ServiceError):
        client.rollback_bundle()
    assert len(handler.requests) == 1


def test_a_client_without_retries_calls_once(flaky: tuple[Flaky, str]) -> None:
    handler, address = flaky
    with RecsysClient(address, timeout=WAIT, retries=0) as client:
        with pytest.raises(ServiceError, match="not yet"):
            client.get_history("ann")
        assert len(handler.requests) == 1


def test_the_deadline_includes_the_repetitions() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        with (
            RecsysClient(f"127.0.0.1:{silent.getsockname()[1]}", timeout=0.3) as client,
            pytest.raises(ServiceError),
        ):
            client.describe()
        assert time.monotonic() - began < WAIT


def test_every_method_is_safe_to_repeat_or_known_not_to_be() -> None:
    files = (bundle_pb2, catalog_pb2, interaction_pb2, operations_pb2, quality_pb2, retrieval_pb2)
    services = [each for file in files for each in file.DESCRIPTOR.services_by_name.values()]
    assert {each.full_name for each in services} == set(REPEATABLE)
    for service in services:
        unsafe = {each.name for each in service.methods} - set(REPEATABLE[service.full_name])
        assert unsafe <= UNSAFE
        for name in REPEATABLE[service.full_name]:
            assert name in service.methods_by_name
    (method,) = json.loads(service_config(2))["methodConfig"]
    assert method["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
    assert service_config(0) == "{}"
    with pytest.raises(InvalidRequestError, match="from 0 to 4"):
        RecsysClient("127.0.0.1:1", retries=5)


@pytest.mark.parametrize(
    "address",
    ["", ":50051", "localhost", "localhost:", "localhost:0", "localhost:65536", "localhost:1e3"]
    + ["http://127.0.0.1:50051", "127.0.0.1:50051/", "::1:port"],
)
def test_an_address_without_host_or_port_is_refused_at_once(address: str) -> None:
    with pytest.raises(InvalidRequestError, match="HOST:PORT with a port of 1 to 65535"):
        RecsysClient(address)
    with pytest.raises(InvalidRequestError, match=re.escape(repr(address))):
        AsyncRecsysClient(address)


@pytest.mark.parametrize(
    "address", ["localhost:1", "[::1]:65535", "recsys:50051", "unix:/tmp/socket", "dns:///recsys:1"]
)
def test_an_address_of_grpc_is_taken(address: str) -> None:
    RecsysClient(address).close()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1:50051", True),
        ("127.9.9.9:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("unix:/tmp/socket", True),
        ("10.0.0.1:1", False),
        ("localhost.example.com:1", False),
        ("recsys:50051", False),
    ],
)
def test_a_proxy_is_used_for_other_machines_only(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected
    assert (("grpc.enable_http_proxy", 0) in channel_options(address, retries=3)) is expected


def test_a_proxy_of_the_environment_is_not_used_on_loopback(
    flaky: tuple[Flaky, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that counts its connections, and answers none."""
    handler, address = flaky
    with socket.socket() as proxy:
        proxy.bind(("127.0.0.1", 0))
        proxy.listen()
        connections: list[object] = []

        def accept() -> None:
            while True:
                try:
                    connections.append(proxy.accept())
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        for name in ("http_proxy", "https_proxy", "grpc_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("no_grpc_proxy", raising=False)
        with RecsysClient(address, timeout=WAIT) as client:
            client.describe()
        assert len(handler.requests) == 3 and not connections
