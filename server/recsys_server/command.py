"""The command that serves a bundle: ``recsys serve`` and ``python -m recsys_server`` are the same.

This module loads neither gRPC nor the library; the command does when it runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    bundles: Annotated[
        Path, typer.Option(help="Folder of published bundles, as runs/NAME/bundles.")
    ],
    version: Annotated[str, typer.Option(help="Version of the bundle.")] = "current",
    host: Annotated[str, typer.Option(help="Interface to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 50051,
    port_file: Annotated[Path | None, typer.Option(help="File to write the port to.")] = None,
    grace: Annotated[
        float, typer.Option(min=0, help="Seconds for requests in flight when it stops.")
    ] = 10.0,
    json_logs: Annotated[
        bool, typer.Option("--json-logs", help="Log one JSON object per line.")
    ] = False,
) -> None:
    """Serve a published bundle over gRPC until SIGTERM or Ctrl-C.

    The address is printed on stdout once the service is ready; the log is on stderr.
    """
    from recsys_server.serving import serve_bundle

    code = serve_bundle(
        bundles,
        version,
        host=host,
        port=port,
        port_file=port_file,
        grace=grace,
        log_style="json" if json_logs else "text",
    )
    raise typer.Exit(code)
