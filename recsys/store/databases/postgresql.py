"""A store in a PostgreSQL database, through psycopg."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa

from recsys.store.databases.faults import translated
from recsys.store.databases.schema import STATE, metadata, migrate

LOCK_SECONDS = 5.0
"""Longest wait for another transaction's lock."""
CONNECT_SECONDS = 5
"""Longest wait for a connection."""
POLL_SECONDS = 1.0
"""Time after which a wait looks at the database although no notification came."""
T = TypeVar("T")
_CHANNEL = "recsys_store"
_NUMBER = f"SELECT watermark FROM {STATE.name}".encode()
_MIGRATION_LOCK = 7_291_530_118_224_470


class PostgresqlDatabase:
    """Connections to one database: any number of readers, one writer at a time.

    Raises:
        StoreError: The database cannot be opened, or holds no store of this version.
    """

    backend = "postgresql"

    def __init__(self, url: sa.URL) -> None:
        self.where = url.render_as_string(hide_password=True)
        self._url = url.set(drivername="postgresql+psycopg")
        arguments: dict[str, Any] = {
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "recsys",
            "options": f"-c synchronous_commit=on -c lock_timeout={int(1000 * LOCK_SECONDS)}ms",
        }
        self._engine = sa.create_engine(
            self._url,
            connect_args=arguments,
            pool_size=8,
            max_overflow=64,
            pool_pre_ping=True,  # connections that broke are opened again
        )
        self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ")
        self._watcher, self._listener = _Session(url, arguments), _Session(url, arguments)
        with (
            translated("the store cannot be opened", self.where),
            self._engine.begin() as connection,
        ):
            lock = sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)
            connection.execute(sa.select(lock))
            migrate(connection)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of the store during the block."""
        with (
            translated("the store cannot be read", self.where),
            self._snapshots.begin() as connection,
        ):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection in a transaction that is on disk when the block has ended."""
        with translated("nothing was acknowledged", self.where), self._engine.begin() as connection:
            yield connection
            connection.execute(sa.select(sa.func.pg_notify(_CHANNEL, "")))

    def erased(self) -> None:
        """Nothing: PostgreSQL removes deleted rows from its files in a later VACUUM."""

    def change_number(self) -> int:
        """The watermark, in one round trip."""
        with translated("the store cannot be read", self.where):
            return int(self._watcher.fetch(_NUMBER))

    def wait(self, number: int, seconds: float) -> None:
        """Return when :meth:`change_number` differs from ``number``, or after ``seconds``.

        A change is seen at the latest after :data:`POLL_SECONDS`.
        """
        with translated("the store cannot be read", self.where):
            self._listener.wait(lambda: self.change_number() != number, min(seconds, POLL_SECONDS))

    def integrity_faults(self) -> list[str]:
        """None: PostgreSQL checks its own pages (``initdb --data-checksums``, pg_amcheck)."""
        return []

    def reclaim(self) -> None:
        """Make the space of deleted rows usable again; the files keep their size."""
        with translated("no space was freed", self.where):
            own = self._engine.execution_options(isolation_level="AUTOCOMMIT")
            with own.connect() as connection:
                for table in metadata.tables:
                    connection.exec_driver_sql(f"VACUUM (ANALYZE) {table}")

    def size(self) -> int:
        """Number of bytes on disk."""
        with self.reading() as connection:
            tables = [sa.func.pg_total_relation_size(each) for each in metadata.tables]
            return sum(connection.execute(sa.select(*tables)).one())

    def close(self) -> None:
        """Close all connections."""
        self._watcher.close()
        self._listener.close()
        self._engine.dispose()


class _Session:
    """A connection of its own, opened on first use and again after it broke."""

    def __init__(self, url: sa.URL, arguments: dict[str, Any]) -> None:
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._open = partial(psycopg.connect, plain, autocommit=True, **arguments)
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None

    def fetch(self, query: bytes) -> Any:
        """The first value of a query."""
        with self._lock:
            found = self._retried(lambda each: each.execute(query, prepare=True).fetchone())
        return None if found is None else found[0]

    def wait(self, changed: Callable[[], bool], seconds: float) -> None:
        """Return after a notification or ``seconds``, at once if something ``changed``."""

        def listen(connection: psycopg.Connection[Any]) -> None:
            connection.execute(f"LISTEN {_CHANNEL}".encode())
            if not changed():
                for _ in connection.notifies(timeout=seconds, stop_after=1):
                    pass

        with self._lock:
            self._retried(listen)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def _retried(self, action: Callable[[psycopg.Connection[Any]], T]) -> T:
        """The result of an action, on a new connection if the old one broke."""
        if self._connection is not None and not self._connection.closed:
            with suppress(psycopg.OperationalError):
                return action(self._connection)
            self._connection.close()
        self._connection = self._open()
        return action(self._connection)
