"""``python -m recsys_server``: serves one bundle over gRPC until SIGTERM or SIGINT.

Standard output has one line, the address; everything else goes to standard error.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from recsys.bundle import Bundle, open_bundle
from recsys.errors import RecsysError
from recsys.files import write_text
from recsys_server.lifecycle import end_process, serve_until_signal
from recsys_server.limits import Limits
from recsys_server.logs import log_to_stderr

_log = logging.getLogger("recsys_server")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    bundles: Annotated[Path, typer.Option(help="The folder of published bundles.")],
    version: Annotated[str, typer.Option(help="The bundle to serve.")] = "current",
    host: Annotated[str, typer.Option(help="The interface to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 50051,
    port_file: Annotated[Path | None, typer.Option(help="A file to write the port to.")] = None,
    grace: Annotated[
        float, typer.Option(min=0, help="Seconds for requests in flight when it stops.")
    ] = 10.0,
    json_logs: Annotated[
        bool, typer.Option("--json-logs", help="Log one JSON object per line.")
    ] = False,
) -> None:
    """Serve a bundle over gRPC until SIGTERM or SIGINT; the address is printed once it is ready."""
    log_to_stderr("json" if json_logs else "text")

    def announce(address: str) -> None:
        if port_file is not None:
            write_text(port_file, address.rpartition(":")[2] + "\n")
        print(address, flush=True)

    try:
        bundle = _load(bundles, version)
        cut_off = asyncio.run(
            serve_until_signal(
                bundle.retriever,
                host=host,
                port=port,
                grace=grace,
                limits=Limits(),
                announce=announce,
            )
        )
    except RecsysError as error:
        _log.error("%s (%s)", error.message, error.code)
        raise typer.Exit(1) from None
    end_process(cut_off)


def _load(bundles: Path, version: str) -> Bundle:
    """Open a bundle; its objects stay out of garbage collections, which stall requests by 0.2 s.

    Memory that loading no longer needs returns to the system.
    """
    gc.disable()
    bundle = open_bundle(bundles, version)
    gc.freeze()
    gc.enable()
    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # where the C library is not glibc
        ctypes.CDLL(None).malloc_trim(0)
    return bundle


if __name__ == "__main__":
    app(prog_name="python -m recsys_server")
