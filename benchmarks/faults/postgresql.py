"""A PostgreSQL server for one run, from the programs on the PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOBODY = 65534
"""User of the server where this program runs as root, which PostgreSQL refuses."""


@contextmanager
def postgresql_server() -> Iterator[str]:
    """URL of a database of a new server, which listens on a socket only.

    Raises:
        FileNotFoundError: PostgreSQL is not installed.
        CalledProcessError: It does not start.
    """
    folder = Path(tempfile.mkdtemp(prefix="recsys-pg-", dir="/tmp"))  # a socket's path is short
    data = str(folder / "data")
    try:
        if os.getuid() == 0:
            os.chown(folder, _NOBODY, _NOBODY)
        _run("initdb", "-D", data, "-U", "recsys", "-A", "trust")
        with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(f"listen_addresses = ''\nunix_socket_directories = '{folder}'\n")
        _run("pg_ctl", "-D", data, "-l", str(folder / "log"), "-w", "-t", "300", "start")
        try:
            yield f"postgresql://recsys@/postgres?host={folder}"
        finally:
            _run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(*command: str) -> None:
    user = _NOBODY if os.getuid() == 0 else None
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", user=user, group=user)
