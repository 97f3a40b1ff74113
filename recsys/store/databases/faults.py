"""Faults of a database as a :class:`StoreError`, with what to do about each."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from recsys.errors import StoreError

_REMEDIES = {
    "disk is full": "the disk is full; free space on it",
    "database is locked": "another program held the database too long; find and end it",
    "readonly database": "the database or its folder is read-only; make both writable",
    "unable to open": "the file cannot be opened; check its path and permissions",
    "malformed": "the file is damaged; restore a backup ('recsys store verify' lists the faults)",
    "not a database": "the file is no SQLite database; check the path, or restore a backup",
    "disk i/o error": "the disk failed or is full; check it and its free space",
    "lock timeout": "another transaction held the database too long; find and end it",
    "connection refused": "no PostgreSQL server answers; start it, or correct the URL",
}


@contextmanager
def translated(job: str, where: str) -> Iterator[None]:
    """Raise a :class:`StoreError` for every fault of the database inside of the block.

    Args:
        job: What failed, such as "nothing was written".
        where: Path or URL of the store.
    """
    try:
        yield
    except _driver_faults() as error:
        raise _store_error(error, job, where) from error


def _driver_faults() -> tuple[type[Exception], ...]:
    """Every exception that a database, its driver or a file raises.

    The driver of PostgreSQL takes a tenth of a second to load and is loaded where it is used.
    """
    psycopg = sys.modules.get("psycopg")
    return SQLAlchemyError, sqlite3.Error, OSError, *([psycopg.Error] if psycopg else [])


def _store_error(error: Exception, job: str, where: str) -> StoreError:
    cause = getattr(error, "orig", None) or error
    text = " ".join(str(cause).split())[:300]
    low = text.lower()
    remedy = next((remedy for part, remedy in _REMEDIES.items() if part in low), "")
    return StoreError(f"{where}: {job}: {remedy} ({text})" if remedy else f"{where}: {job}: {text}")
