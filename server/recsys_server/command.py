"""The command that serves a bundle: ``recsys serve`` and ``python -m recsys_server`` are the same.

This module loads neither gRPC nor the library; the command does when it runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recsys_server.processes import signals

Config = Annotated[
    Path | None, typer.Option(help="TOML file of settings; options take precedence.")
]
Bundles = Annotated[
    Path | None, typer.Option(help="Folder of published bundles, as runs/NAME/bundles.")
]
Version = Annotated[
    str | None, typer.Option(help="Version of the bundle; by default the current one.")
]
Store = Annotated[
    str | None, typer.Option(help="Path or URL of the store of interactions and items.")
]
Pictures = Annotated[
    Path | None, typer.Option(help="Folder or zip archive of the items' pictures, to show them.")
]
Unknown = Annotated[
    str | None,
    typer.Option(help="Answer to new users: error (default), empty_history or popularity."),
]
Host = Annotated[str | None, typer.Option(help="Interface to listen on; by default 127.0.0.1.")]
Port = Annotated[
    int | None, typer.Option(min=0, max=65535, help="Port, by default 50051; 0 takes a free one.")
]
PortFile = Annotated[Path | None, typer.Option(help="File to write the port to.")]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Number of processes on the port, by default 1.")
]
Threads = Annotated[int | None, typer.Option(min=1, help="Retrievals that a worker runs at once.")]
Drain = Annotated[
    float | None, typer.Option(min=0, help="Seconds between NOT_SERVING and the end of listening.")
]
Grace = Annotated[
    float | None,
    typer.Option(min=0, help="Seconds for requests in flight when it stops, by default 10."),
]
Tokens = Annotated[Path | None, typer.Option(help="File of tokens, made by recsys token create.")]
TlsCertificate = Annotated[Path | None, typer.Option(help="PEM file of the certificate, for TLS.")]
TlsKey = Annotated[Path | None, typer.Option(help="PEM file of its private key.")]
TlsClientCa = Annotated[
    Path | None, typer.Option(help="PEM file of authorities; clients need a certificate.")
]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="Allow calls from beyond this machine without TLS.")
]
MetricsPort = Annotated[
    int | None, typer.Option(min=0, max=65535, help="Port of /metrics, /live and /ready.")
]
Slow = Annotated[
    float | None, typer.Option(min=0, help="Seconds from which an answered call is logged.")
]
AuditShare = Annotated[
    float | None, typer.Option(min=0, max=1, help="Share of searches whose recall is measured.")
]
Check = Annotated[
    bool, typer.Option("--check", help="Check the settings and what they name, and end.")
]
JsonLogs = Annotated[bool, typer.Option("--json-logs", help="Log one JSON object per line.")]


def serve(
    config: Config = None,
    bundles: Bundles = None,
    version: Version = None,
    store: Store = None,
    pictures: Pictures = None,
    unknown_user: Unknown = None,
    host: Host = None,
    port: Port = None,
    port_file: PortFile = None,
    workers: Workers = None,
    threads: Threads = None,
    drain: Drain = None,
    grace: Grace = None,
    tokens: Tokens = None,
    tls_certificate: TlsCertificate = None,
    tls_key: TlsKey = None,
    tls_client_ca: TlsClientCa = None,
    metrics_port: MetricsPort = None,
    slow: Slow = None,
    audit_share: AuditShare = None,
    insecure: Insecure = False,
    json_logs: JsonLogs = False,
    check: Check = False,
) -> None:
    """Serve a published bundle over gRPC until SIGTERM or Ctrl-C.

    The address is printed on stdout once the service is ready; the log is on stderr. Every option
    is also a key of the file, and an environment variable such as RECSYS_SERVE_PORT.
    """
    signals.catch()
    from recsys_server.processes import serving

    tls = {"certificate": tls_certificate, "key": tls_key, "client_ca": tls_client_ca}
    options: dict[str, object] = {
        "bundles": bundles,
        "version": version,
        "store": store,
        "pictures": pictures,
        "unknown_user": unknown_user,
        "host": host,
        "port": port,
        "port_file": port_file,
        "workers": workers,
        "threads": threads,
        "drain": drain,
        "grace": grace,
        "tokens": tokens,
        "insecure": insecure or None,
        "metrics_port": metrics_port,
        "slow": slow,
        "audit": None if audit_share is None else {"share": audit_share},
        "tls": {name: path for name, path in tls.items() if path is not None} or None,
        "log": "json" if json_logs else None,
    }
    run = serving.check if check else serving.serve
    raise typer.Exit(run(options, file=config))
