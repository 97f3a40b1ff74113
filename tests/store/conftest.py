"""A PostgreSQL server for the tests of this folder, and its database, empty for each test."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.postgresql_server import empty

_USER = 65534  # "nobody": PostgreSQL refuses to run as root
_SETTINGS = """
listen_addresses = ''
fsync = off
max_connections = 40
shared_buffers = 16MB
dynamic_shared_memory_type = mmap
"""


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of the database "postgres" of a server that has a socket and no port."""
    if shutil.which("initdb") is None or shutil.which("pg_ctl") is None:
        pytest.skip("PostgreSQL is not installed: initdb and pg_ctl are not on the PATH")
    folder = Path(tempfile.mkdtemp(prefix="recsys-pg-"))  # short: a socket's path has 107 bytes
    try:
        if os.getuid() == 0:
            os.chown(folder, _USER, _USER)
        _run(["initdb", "-D", str(folder / "data"), "-U", "recsys", "-A", "trust", "--no-sync"])
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.write(f"{_SETTINGS}unix_socket_directories = '{folder}'\n")
        log = str(folder / "log")
        _run(["pg_ctl", "-D", str(folder / "data"), "-l", log, "-w", "-t", "300", "start"])
        try:
            yield f"postgresql://recsys@/postgres?host={folder}"
        finally:
            _run(["pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """URL of a database, which is emptied: making one per test takes ten times as long."""
    empty(postgresql_server)
    return postgresql_server


def _run(command: list[str]) -> None:
    user = {"user": _USER, "group": _USER, "extra_groups": []} if os.getuid() == 0 else {}
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", **user)  # type: ignore[call-overload]
    if done.returncode:
        pytest.skip(f"PostgreSQL does not start: {' '.join(done.stderr.split())[:300]}")
