"""Serve one bundle in this process, from loading it to the exit."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pyarrow as pa

from recsys.bundle import Bundle, open_bundle
from recsys.errors import RecsysError
from recsys.files import write_text
from recsys_server.lifecycle import end_process, serve_until_signal
from recsys_server.limits import Limits
from recsys_server.logs import log_to_stderr
from recsys_server.rollout import Deployment, LoadedBundle, Rollout

_log = logging.getLogger("recsys_server")


def serve_bundle(
    bundles: Path,
    version: str,
    *,
    host: str,
    port: int,
    port_file: Path | None,
    grace: float,
    log_style: Literal["text", "json"],
) -> int:
    """Serve until SIGTERM or SIGINT, then end the process.

    Prints one line, the address, to stdout. Arguments are those of the command. Returns the exit
    code: 0, or 1 if the bundle cannot be served, with the reason in the log.
    """
    log_to_stderr(log_style)

    def announce(address: str) -> None:
        if port_file is not None:
            write_text(port_file, address.rpartition(":")[2] + "\n")
        print(address, flush=True)

    try:
        bundle = _load(bundles, version)
        cut_off = asyncio.run(
            serve_until_signal(
                Rollout(Deployment(LoadedBundle.of(bundle))),
                host=host,
                port=port,
                grace=grace,
                limits=Limits(),
                announce=announce,
            )
        )
    except RecsysError as error:
        _log.error("%s (%s)", error.message, error.code)
        return 1
    except OSError as error:  # such as a port file in a folder that does not exist
        _log.error("%s: %s", error.filename or "the system", error.strerror or error)
        return 1
    end_process(cut_off)
    return 0


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
