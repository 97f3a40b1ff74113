"""A store in one SQLite file, with a write-ahead log, synchronous at every commit."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from recsys.errors import StoreError
from recsys.files import sync
from recsys.store.databases.faults import translated
from recsys.store.databases.schema import migrate, version

BUSY_SECONDS = 5.0
"""Longest wait for another program's lock."""
POLL_SECONDS = 0.005
"""Time between two looks at the file in :meth:`SqliteDatabase.wait`."""
ERASE_MILLISECONDS = 100
"""Longest wait for readers before the write-ahead log is emptied."""
PAGES_PER_STEP = 2_000
READERS = 16
READER_CACHE = "PRAGMA cache_size = -512"
"""Pages that a reader caches, in KiB: each of many keeps its own, next to the system's cache."""
_OPTIONS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",  # deleted values are overwritten
    "PRAGMA cell_size_check = ON",
    "PRAGMA trusted_schema = OFF",
)


class SqliteDatabase:
    """Connections to one file: any number of readers, one writer at a time.

    Raises:
        StoreError: The file cannot be opened, or holds no store of this version.
    """

    backend = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.where = str(path)
        self._identities: list[tuple[int, int] | None] = []
        self._erasing = False
        with translated("the store cannot be opened", self.where):
            if not self.path.exists():
                _create(self.path)
            if self.path.stat().st_size == 0:
                raise StoreError(
                    f"{path} is empty, so that its store was cut off; restore a backup, or remove"
                    " the file to begin a new store"
                )
            self._mode = _mode(self.path)
            self._writer = self._engine(_begin_immediate, connections=1, more=0)
            self._reader = self._engine(
                _begin, connections=READERS, more=READERS, options=(READER_CACHE,)
            )
            self._watching = threading.Lock()
            self._watcher = self._connect()
            try:
                self._prepare()
            except BaseException:
                self.close()
                raise

    def _prepare(self) -> None:
        """Migrate the tables, and remember the files."""
        if self._mode == "rw":
            with self._writer.begin() as connection:
                migrate(connection)
            self._try_to_truncate_log()  # a process may have died before it emptied the log
        with self.reading() as connection:  # opens the log, and a connection for later readers
            version(connection)
        self._identities = [_identity(file) for file in self.files()]

    def _engine(
        self,
        begin: Callable[[sa.Connection], None],
        *,
        connections: int,
        more: int,
        options: Sequence[str] = (),
    ) -> sa.Engine:
        engine = sa.create_engine(
            "sqlite://",
            creator=lambda: self._connect(options),
            poolclass=sa.QueuePool,
            pool_size=connections,
            max_overflow=more,
            pool_timeout=60,
        )
        sa.event.listen(engine, "begin", begin)
        return engine

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of the store during the block."""
        with translated("the store cannot be read", self.where), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection in a transaction that is on disk when the block has ended."""
        if self._mode != "rw":
            raise StoreError(
                f"{self.where}: nothing was written: the database or its folder is read-only; make"
                " both writable and open the store again"
            )
        with translated("nothing was written", self.where):
            self._check_files("nothing was written")
            with self._writer.begin() as connection:
                yield connection
            self._check_files("the write may be lost")
        if self._erasing:
            self._try_to_truncate_log()

    def erased(self) -> None:
        """Remember that values were deleted, whose copies in the write-ahead log must go, too."""
        self._erasing = True

    def change_number(self) -> int:
        """A number that differs after another connection has committed, in microseconds."""
        with translated("the store cannot be read", self.where), self._watching:
            return int(self._watcher.execute("PRAGMA data_version").fetchone()[0])

    def wait(self, number: int, seconds: float) -> None:
        """Return when :meth:`change_number` differs from ``number``, or after ``seconds``."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and number == self.change_number():
            time.sleep(min(POLL_SECONDS, left))

    def integrity_faults(self) -> list[str]:
        """Faults that SQLite finds in the file."""
        with self.reading() as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        return [] if found == ["ok"] else [str(fault) for fault in found]

    def reclaim(self) -> None:
        """Return the space of deleted rows to the disk, in steps between which others write."""
        with translated("no space was freed", self.where), self._writer.connect() as connection:
            raw = _raw(connection)
            free, before = self._free_pages(), -1
            while free and free != before:
                raw.execute(f"PRAGMA incremental_vacuum({PAGES_PER_STEP})").fetchall()
                free, before = self._free_pages(), free
        self._truncate_log()

    def copy_to(self, path: Path) -> None:
        """Write one state of the file to a new file, while others write."""
        with translated("no copy was written", self.where):
            source, target = self._connect(), sqlite3.connect(path)
            try:
                source.backup(target)
                target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                source.close()
                target.close()

    def size(self) -> int:
        """Number of bytes on disk."""
        return sum(each.stat().st_size for each in self.files() if each.exists())

    def files(self) -> tuple[Path, Path]:
        """The database and its write-ahead log."""
        return self.path, self.path.with_name(f"{self.path.name}-wal")

    def close(self) -> None:
        """Close all connections; the last one writes the log into the file."""
        with self._watching:
            self._watcher.close()
        self._reader.dispose()
        self._writer.dispose()

    def _free_pages(self) -> int:
        with self.reading() as connection:
            return int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())

    def _connect(self, options: Sequence[str] = ()) -> sqlite3.Connection:
        if self._identities:
            self._check_files("the store cannot be read")
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode={self._mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        for option in (*_OPTIONS, *options):
            connection.execute(option)
        return connection

    def _check_files(self, result: str) -> None:
        """Refuse files that were removed or replaced: writes to them would be lost."""
        if [_identity(file) for file in self.files()] != self._identities:
            raise StoreError(
                f"{self.where}: {result}: the file or its write-ahead log was removed or replaced"
                " while it was open; put it back, and open the store again"
            )

    def _try_to_truncate_log(self) -> None:
        """Empty the log, or let a later write try again: the caller's write is on disk."""
        self._erasing = True
        with suppress(StoreError):
            self._truncate_log()

    def _truncate_log(self) -> None:
        """Write the log into the file and empty it, unless a reader is in the way."""
        job = "a deleted value is still in the write-ahead log"
        with translated(job, self.where), self._writer.connect() as connection:
            raw = _raw(connection)
            raw.execute(f"PRAGMA busy_timeout = {ERASE_MILLISECONDS}")
            busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            raw.execute(f"PRAGMA busy_timeout = {int(1000 * BUSY_SECONDS)}")
        self._erasing = bool(busy)


def _mode(path: Path) -> str:
    """SQLite mode: "rw" if the file can be written, else "ro", without locks if no log is left."""
    if all(os.access(each, os.W_OK, effective_ids=True) for each in (path, path.parent)):
        return "rw"
    return "ro" if path.with_name(f"{path.name}-wal").exists() else "ro&immutable=1"


def _create(path: Path) -> None:
    """Make an empty store; another process may make the same one at the same time.

    The file gets its name when it is whole, so that an empty file always is one that was cut off.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        connection = sqlite3.connect(part)
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before the first table
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        sync(part)
        try:
            os.link(part, path)
        except OSError:  # it exists by now, or the file system has no links
            if not path.exists():
                os.rename(part, path)
        sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _raw(connection: sa.Connection) -> sqlite3.Connection:
    raw = connection.connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
