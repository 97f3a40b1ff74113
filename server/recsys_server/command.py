"""The command that serves a bundle: ``recsys serve`` and ``python -m recsys_server`` are the same.

This module loads neither gRPC nor the library; the command does when it runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recsys_server.processes import signals


def serve(
    config: Annotated[
        Path | None, typer.Option(help="TOML file of settings; options take precedence.")
    ] = None,
    bundles: Annotated[
        Path | None, typer.Option(help="Folder of published bundles, as runs/NAME/bundles.")
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Version of the bundle; by default the current one.")
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="Interface to listen on; by default 127.0.0.1.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port, by default 50051; 0 takes a free one."),
    ] = None,
    port_file: Annotated[Path | None, typer.Option(help="File to write the port to.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of processes on the port, by default 1.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Retrievals that a worker runs at once.")
    ] = None,
    drain: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds between NOT_SERVING and the end of listening."),
    ] = None,
    grace: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds for requests in flight when it stops, by default 10."),
    ] = None,
    json_logs: Annotated[
        bool, typer.Option("--json-logs", help="Log one JSON object per line.")
    ] = False,
) -> None:
    """Serve a published bundle over gRPC until SIGTERM or Ctrl-C.

    The address is printed on stdout once the service is ready; the log is on stderr. Every option
    is also a key of the file, and an environment variable such as RECSYS_SERVE_PORT.
    """
    signals.catch()
    options = {
        "bundles": bundles,
        "version": version,
        "host": host,
        "port": port,
        "port_file": port_file,
        "workers": workers,
        "threads": threads,
        "drain": drain,
        "grace": grace,
        "log": "json" if json_logs else None,
    }
    from recsys_server.processes import serving

    raise typer.Exit(serving.serve(options, file=config))
