"""What a store needs of a database, and the choice of one by its URL."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from recsys.errors import ConfigError
from recsys.store.databases.sqlite import SqliteDatabase


class Database(Protocol):
    """What a store needs of a database; its methods raise :class:`StoreError`."""

    where: str
    backend: str

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """A connection that sees one state of the store during the block."""

    def writing(self) -> AbstractContextManager[sa.Connection]:
        """A connection in a transaction that is on disk when the block has ended."""

    def erased(self) -> None:
        """Remember that values were deleted, whose copies must leave the disk."""

    def change_number(self) -> int:
        """A number that differs after a commit."""

    def wait(self, number: int, seconds: float) -> None:
        """Return when :meth:`change_number` differs from ``number``, or after ``seconds``."""

    def integrity_faults(self) -> list[str]:
        """Faults that the database finds in its own files."""

    def reclaim(self) -> None:
        """Return the space of deleted rows to the disk."""

    def size(self) -> int:
        """Number of bytes on disk."""

    def close(self) -> None:
        """Close all connections."""


def open_database(url_or_path: str | Path) -> Database:
    """The database of a path or URL; see :func:`recsys.store.open_store`."""
    text = str(url_or_path)
    if "://" not in text:
        return SqliteDatabase(Path(text))
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError as error:
        raise ConfigError(f"the store's URL cannot be read: {error}") from error
    backend = url.drivername.partition("+")[0]
    if backend == "sqlite" and url.database and url.database != ":memory:":
        return SqliteDatabase(Path(url.database))
    if backend in ("postgresql", "postgres"):
        from recsys.store.databases.postgresql import PostgresqlDatabase  # loads psycopg

        return PostgresqlDatabase(url)
    raise ConfigError(
        "a store is a path, sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE; got"
        f" {url.render_as_string(hide_password=True)!r}"
    )
