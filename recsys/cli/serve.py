"""``recsys serve``: replaces this process by the service."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from recsys.errors import NotFoundError


def serve(
    bundles: Annotated[Path, typer.Option(help="The folder of published bundles.")],
    version: Annotated[str, typer.Option(help="The bundle to serve.")] = "current",
    host: Annotated[str, typer.Option(help="The interface to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 50051,
    port_file: Annotated[Path | None, typer.Option(help="A file to write the port to.")] = None,
    json_logs: Annotated[
        bool, typer.Option("--json", help="Log one JSON object per line.")
    ] = False,
) -> None:
    """Serve a published bundle over gRPC until SIGTERM or Ctrl-C (``python -m recsys_server``)."""
    if not bundles.is_dir():
        raise NotFoundError(
            f"there is no folder of bundles at {bundles}; 'recsys publish CONFIG' makes one"
        )
    command = [
        sys.executable,
        "-m",
        "recsys_server",
        "--bundles",
        str(bundles),
        "--version",
        version,
    ]
    command += ["--host", host, "--port", str(port)] + ["--json-logs"] * json_logs
    command += [] if port_file is None else ["--port-file", str(port_file)]
    sys.stdout.flush()
    os.execv(sys.executable, command)
