"""Online backups: a copy of one state of a store, while others read and write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from recsys.errors import StoreError
from recsys.files import atomic_file
from recsys.progress import Progress, silent
from recsys.store.databases import Database, open_database
from recsys.store.databases.faults import translated
from recsys.store.databases.schema import STATE, VERSIONS, metadata
from recsys.store.databases.sqlite import SqliteDatabase
from recsys.store.store import Store

_BATCH = 2_000


def backup(store: Store, target: str | Path, *, progress: Progress = silent) -> int:
    """Copy a store with its sequence numbers, keys and deletions to a new file or database.

    The copy is a store: opening it is restoring it. A file is there whole or not at all.

    Args:
        store: The store.
        target: Path of a file that does not exist, or URL of an empty database.
        progress: Callback for progress.

    Returns:
        Watermark of the copy.

    Raises:
        StoreError: The target is not empty or cannot be written, or the store cannot be read.
    """
    text = str(target)
    if "://" in text:
        return _copy_into(store.database, text, progress)
    path = Path(text)
    with translated("no backup was written", text):
        if path.exists():
            raise StoreError(f"{path} is there; name a new file for the backup")
        with atomic_file(path) as part:
            watermark = _copy_file(store.database, part, progress)
            if path.exists():
                raise StoreError(f"{path} appeared meanwhile; name a new file for the backup")
    return watermark


def _copy_file(source: Database, part: Path, progress: Progress) -> int:
    if not isinstance(source, SqliteDatabase):
        return _copy_into(source, str(part), progress)
    source.copy_to(part)
    opened = SqliteDatabase(part)
    try:
        with opened.reading() as connection:
            return int(connection.execute(sa.select(STATE.c.watermark)).scalar_one())
    finally:
        opened.close()


def _copy_into(source: Database, url: str, progress: Progress) -> int:
    """Copy every row of every table into an empty store."""
    target = open_database(url)
    try:
        with source.reading() as reader, target.writing() as writer:
            if writer.execute(sa.select(STATE.c.watermark)).scalar_one():
                raise StoreError(f"{target.where} holds a store with entries; name an empty one")
            tables = [table for table in metadata.sorted_tables if table != VERSIONS]
            for number, table in enumerate(tables):
                writer.execute(table.delete())
                _copy_table(reader, writer, table)
                progress("backup", number + 1, len(tables), table.name)
            return int(writer.execute(sa.select(STATE.c.watermark)).scalar_one())
    finally:
        target.close()


def _copy_table(reader: sa.Connection, writer: sa.Connection, table: sa.Table) -> None:
    found = reader.execution_options(yield_per=_BATCH).execute(sa.select(table))
    for part in found.mappings().partitions(_BATCH):
        rows: list[dict[str, Any]] = [dict(row) for row in part]
        writer.execute(table.insert(), rows)
