"""Serves the console over HTTP or HTTPS."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from recsys_client.channel import is_loopback
from recsys_client.errors import ConfigError, ServiceError
from recsys_console.application import create_application
from recsys_console.settings import Settings


@dataclass(frozen=True)
class Listening:
    """Where the console listens.

    Attributes:
        host: Interface.
        port: Port; 0 for a free one.
        certificate: PEM file of the certificate, for HTTPS; None for HTTP.
        key: PEM file of its private key.

    Example:
        >>> Listening("127.0.0.1", 8080).scheme
        'http'
    """

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None

    @property
    def scheme(self) -> str:
        """Scheme of the console's address, http or https."""
        return "http" if self.certificate is None else "https"

    def check(self, *, insecure: bool) -> None:
        """Refuse settings that would send tokens in plain text to other machines.

        Raises:
            ConfigError: They would, or a file of the certificate is missing.
        """
        if (self.certificate is None) != (self.key is None):
            raise ConfigError("HTTPS needs --tls-certificate and --tls-key; give both or neither")
        local = is_loopback(f"{self.host}:{self.port}")
        if self.certificate is None and not local and not insecure:
            raise ConfigError(
                f"browsers on other machines would send their tokens to {self.host} in plain "
                "text; give --tls-certificate and --tls-key, or --insecure where a proxy encrypts"
            )


def serve(settings: Settings, listening: Listening, *, ready: Callable[[str], object]) -> None:
    """Serve until a signal ends it; ``ready`` is called with a line that holds the address."""
    config = uvicorn.Config(
        create_application(settings),
        ssl_certfile=listening.certificate,
        ssl_keyfile=listening.key,
        log_level="warning",
        access_log=False,  # addresses can hold search terms
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    listener = _listen(listening)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    ready(f"console on {listening.scheme}://{shown}:{port}")
    with listener:
        uvicorn.Server(config).run(sockets=[listener])


def _listen(listening: Listening) -> socket.socket:
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    try:
        return socket.create_server((listening.host, listening.port), family=family)
    except OSError as error:
        raise ServiceError(
            f"cannot listen on {listening.host} port {listening.port} ({error.strerror}); "
            "choose another with --port"
        ) from error
