"""The command ``recsys console``; it imports FastAPI and gRPC when it runs."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from recsys_client.errors import ConfigError

Address = Annotated[str, typer.Option(help="HOST:PORT of the running service.")]
Host = Annotated[str, typer.Option(help="Interface to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")]
Tls = Annotated[
    Path | None, typer.Option(help="PEM file of authorities; connects to the service with TLS.")
]
Timeout = Annotated[float, typer.Option(min=0.1, help="Seconds that a call may take.")]
AllowHost = Annotated[
    list[str] | None,
    typer.Option(help="Name by which browsers reach the console, if not the interface's."),
]
Certificate = Annotated[
    Path | None, typer.Option(help="PEM file of the console's own certificate, for HTTPS.")
]
Key = Annotated[Path | None, typer.Option(help="PEM file of its private key.")]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="Allow browsers on other machines without HTTPS.")
]


def console(
    address: Address = "127.0.0.1:50051",
    host: Host = "127.0.0.1",
    port: Port = 8080,
    tls: Tls = None,
    timeout: Timeout = 10.0,
    allow_host: AllowHost = None,
    tls_certificate: Certificate = None,
    tls_key: Key = None,
    insecure: Insecure = False,
) -> None:
    """Serve the web console of a running service until Ctrl-C.

    The address is printed on stdout once the console is ready. It needs no access to the service's
    files; users sign in with their own tokens where the service needs them.
    """
    from recsys_client import Tls as ClientTls

    if find_spec("fastapi") is None:
        raise ConfigError(
            "the console needs Python 3.11 or later and FastAPI: pip install 'recsys[console]'"
        )
    from recsys_console.serving import Listening, serve
    from recsys_console.settings import LOOPBACK, Settings

    listening = Listening(host, port, tls_certificate, tls_key)
    listening.check(insecure=insecure)
    settings = Settings(
        address,
        tls=None if tls is None else ClientTls(roots=tls.read_bytes()),
        timeout=timeout,
        hosts=tuple(dict.fromkeys([*LOOPBACK, host, *(allow_host or ())])),
        secure=tls_certificate is not None,
    )
    serve(settings, listening, ready=typer.echo)
