"""How a client connects: TLS, tokens, repetitions, and no proxy on loopback."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from typing import Any

import grpc

from recsys_client.errors import InvalidRequestError

REPEATABLE = {
    "recsys.v1.RetrievalService": ("Retrieve", "BatchRetrieve", "Describe"),
    "recsys.v1.InteractionService": (
        *("RecordInteractions", "GetHistory", "DeleteUser"),
        *("GetItemActivity", "ListItemUsers", "ListRecentUsers"),
    ),
    "recsys.v1.CatalogService": ("UpsertItems", "DeleteItems", "GetItems", "ListItems"),
    "recsys.v1.BundleService": ("ListBundles", "GetActiveBundle"),
    "recsys.v1.OperationsService": (
        *("GetStatus", "GetTimeSeries", "ListSlowRequests", "GetConfiguration", "ListTokens"),
    ),
    "recsys.v1.QualityService": ("GetReport", "CompareReports", "ListSearches", "GetItemMap"),
}
"""Methods that are safe to repeat: reads, and writes that carry an idempotency key."""

MAX_RETRIES = 4
_SCHEMES = ("unix:", "unix-abstract:", "dns:", "ipv4:", "ipv6:", "xds:", "vsock:")


@dataclass(frozen=True)
class Tls:
    """Certificates of an encrypted connection.

    Attributes:
        roots: Certificates in PEM that the certificate of the service is checked against; None for
            those that gRPC ships.
        certificate: Certificate of the client in PEM, where the service asks for one; None without.
        key: Private key of that certificate in PEM.

    Example:
        >>> Tls(roots=b"-----BEGIN CERTIFICATE-----...").key is None
        True
    """

    roots: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)

    def credentials(self) -> grpc.ChannelCredentials:
        """The credentials of a channel."""
        return grpc.ssl_channel_credentials(self.roots, self.key, self.certificate)


def channel_options(address: str, *, retries: int) -> list[tuple[str, Any]]:
    """The options of a channel to ``address`` whose safe calls are repeated ``retries`` times.

    Raises:
        InvalidRequestError: Either is refused.
    """
    check_address(address)
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", -1),  # the service bounds what it answers
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.service_config", service_config(retries)),
    ]
    if is_loopback(address):  # no proxy reaches this machine's own ports
        options.append(("grpc.enable_http_proxy", 0))
    return options


def service_config(retries: int) -> str:
    """The service config that repeats safe calls which no service answered, with backoff.

    Example:
        >>> json.loads(service_config(3))["methodConfig"][0]["retryPolicy"]["maxAttempts"]
        4
    """
    if not 0 <= retries <= MAX_RETRIES:
        raise InvalidRequestError(
            f"retries must be from 0 to {MAX_RETRIES}, the most that gRPC allows; got {retries}",
            field="retries",
        )
    if not retries:
        return "{}"
    names = [
        {"service": service, "method": method}
        for service, methods in REPEATABLE.items()
        for method in methods
    ]
    policy = {
        "maxAttempts": retries + 1,
        "initialBackoff": "0.1s",
        "maxBackoff": "1s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    throttling = {"maxTokens": 10, "tokenRatio": 0.1}
    return json.dumps(
        {"methodConfig": [{"name": names, "retryPolicy": policy}], "retryThrottling": throttling}
    )


def check_address(address: str) -> None:
    """Check that ``address`` is HOST:PORT, or a name that starts with one of gRPC's schemes.

    Raises:
        InvalidRequestError: It has no host, no port from 1 to 65535, or is that of a web page.
    """
    if address.startswith(_SCHEMES):
        return
    host, _, port = address.rpartition(":")
    numbered = port.isascii() and port.isdigit() and 0 < int(port[:6]) < 2**16
    if not host or "/" in host or not numbered:
        raise InvalidRequestError(
            "the address of a service is HOST:PORT with a port of 1 to 65535, such as "
            f"127.0.0.1:50051, not {address!r}"
        )


def is_loopback(address: str) -> bool:
    """Whether HOST:PORT is on this machine.

    Example:
        >>> [is_loopback(each) for each in ("localhost:1", "[::1]:1", "127.0.0.9:1", "a.com:1")]
        [True, True, True, False]
    """
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def call_metadata(token: str | None) -> tuple[tuple[str, str | bytes], ...]:
    """The metadata of each call."""
    return () if token is None else (("authorization", f"Bearer {token}"),)
