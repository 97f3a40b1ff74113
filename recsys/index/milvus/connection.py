"""Connection to a Milvus server or to Milvus Lite; its faults as the engine's errors."""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.errors import ConfigError, ServiceError
from recsys.index.configs import MilvusConfig

_LITE = "milvus.db"
_LOCK = "LOCK"
"""Milvus Lite's lock on its folder, which belongs to a process and is not copied."""


@dataclass(frozen=True, eq=False)
class Connection:
    """A client of one server; thread-safe, and usable in the process that opened it only.

    Attributes:
        config: Configuration of the index.
        folder: Private folder of Milvus Lite, or None for a server.
        opened: The ``pymilvus.MilvusClient``.
        process: Process that opened it.
    """

    config: MilvusConfig
    folder: Path | None
    opened: Any
    process: int

    @classmethod
    def open(cls, config: MilvusConfig, files: Path | None = None) -> Connection:
        """Connect to the server of ``config``; without one, start Milvus Lite in this process.

        Milvus Lite locks its folder and writes into it, so it gets a temporary one, a copy of
        ``files`` if given, which is removed when the connection is no longer used.

        Raises:
            ConfigError: pymilvus is not installed.
            ServiceError: The server does not answer, or refuses the token.
        """
        library, folder = pymilvus(), None
        uri, token = config.uri, os.environ.get(config.token_env, "")
        if uri is None:
            folder = Path(tempfile.mkdtemp(prefix="recsys-milvus-")) / _LITE
            if files is not None:
                copy_files(files, folder)
            uri, token = str(folder), ""
        with translated(config, "connect"):
            # Not shared with another index, which may be closed first.
            client = library.MilvusClient(
                uri=uri, token=token, timeout=config.timeout, dedicated=True
            )
        connection = cls(config, folder, client, os.getpid())
        weakref.finalize(connection, _close, client, folder, os.getpid())
        return connection

    @property
    def client(self) -> Any:
        """The ``pymilvus.MilvusClient``.

        Raises:
            ServiceError: This process was forked from the one that opened the connection.
        """
        if os.getpid() != self.process:
            raise ServiceError(
                f"process {os.getpid()} was forked from process {self.process}, which had opened a "
                "Milvus index; gRPC does not work after a fork. Start processes with "
                "multiprocessing.get_context('spawn') and open the index in each"
            )
        return self.opened

    def translated(self, action: str) -> AbstractContextManager[None]:
        """Raise a ``ServiceError`` for each fault of Milvus, as the function does."""
        return translated(self.config, action)


def address(config: MilvusConfig) -> str:
    """Name of the server in messages."""
    return config.uri or "Milvus Lite"


@contextmanager
def translated(config: MilvusConfig, action: str) -> Iterator[None]:
    """Raise a ``ServiceError`` that says what to do for each fault of Milvus."""
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("pymilvus", "grpc"):
            raise
        details = getattr(error, "details", None)  # of an error of gRPC
        reason = getattr(error, "message", "") or (details() if callable(details) else str(error))
        raise ServiceError(
            f"Milvus at {address(config)} failed to {action}: {reason}; check that the server "
            f"runs and that {config.token_env} holds its token if it requires one, or raise "
            f"index.search.timeout ({config.timeout:g} seconds)"
        ) from error


def pymilvus() -> Any:
    """The module ``pymilvus``.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        module = importlib.import_module("pymilvus")
    except ImportError as error:
        raise ConfigError(
            f"an index of kind 'milvus' needs pymilvus, which cannot be imported ({error}); "
            "install recsys[milvus], or choose kind 'scann'",
            field="index.search.kind",
        ) from error
    # Its errors are raised as well; it would also print each of them with a traceback.
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    return module


def copy_files(source: Path, target: Path) -> None:
    """Copy the files of Milvus Lite without its lock into a new folder."""
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.name != _LOCK:
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def _close(client: Any, folder: Path | None, process: int) -> None:
    if os.getpid() != process:
        return
    client.close()
    if folder is not None:
        manager = importlib.import_module("milvus_lite.server_manager")
        manager.server_manager_instance.release_server(str(folder))
        shutil.rmtree(folder.parent, ignore_errors=True)
