"""Reserved addresses: no other process shares the port, on any address of the host."""

from __future__ import annotations

import socket

import pytest

from recsys.errors import ServiceError
from recsys_server.processes.addresses import Reservation


def test_a_reserved_port_is_refused_to_others_and_free_afterwards() -> None:
    with Reservation.of_host("127.0.0.1", 0) as first:
        port = first.port
        for host in ("127.0.0.1", "0.0.0.0"):
            with pytest.raises(ServiceError, match=f"cannot listen on {host}:{port}") as caught:
                Reservation.of_host(host, port)
            assert caught.value.field == "port"
    with Reservation.of_host("127.0.0.1", port) as again:
        assert again.addresses == (f"127.0.0.1:{port}",)


def test_a_name_with_two_addresses_needs_the_port_on_both(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [
        (socket.AF_INET, 0, 0, "", ("127.0.0.1", 0)),
        (socket.AF_INET6, 0, 0, "", ("::1", 0, 0, 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with socket.socket(socket.AF_INET6) as other:
        try:
            other.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServiceError, match=rf"cannot listen on \[::1\]:{port}"):
            Reservation.of_host("localhost", port)
    with Reservation.of_host("localhost", port) as reservation:
        assert reservation.addresses == (f"127.0.0.1:{port}", f"[::1]:{port}")
        assert reservation.address == f"localhost:{port}"


def test_an_unknown_host_is_an_error_of_the_host() -> None:
    with pytest.raises(ServiceError, match="the host 'no such host' is unknown") as caught:
        Reservation.of_host("no such host", 0)
    assert caught.value.field == "host"
