"""Exports: a store as parquet files and a zip archive, for other programs and other stores."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import sqlalchemy as sa

from recsys.catalogue import CatalogueFields
from recsys.config import parse_config
from recsys.errors import ConfigError, DataError
from recsys.files import atomic_folder, read_json, sha256_file, sha256_json, write_json
from recsys.formats.tables import read_parquet
from recsys.interactions import EVENT, ITEM, TERMS, TIMESTAMP, USER, WEIGHT
from recsys.progress import Progress, silent
from recsys.store.changes import (
    Change,
    InteractionRecorded,
    ItemDeleted,
    ItemUpserted,
    UserDeleted,
)
from recsys.store.databases.schema import ENTRIES
from recsys.store.rows import ITEM_DELETED, UPSERT, USER_DELETED, to_change
from recsys.store.store import Store
from recsys.store.tables import (
    IMPRESSION,
    PICTURE,
    TEXT,
    TITLE,
    interaction_table,
    item_table,
    store_state,
)

EXPORT = "store.json"
"""Description of an export, with the digests of its files."""
FORMAT = 1
_LOG, _ITEMS, _DELETIONS = "interactions.parquet", "items.parquet", "deletions.parquet"
_VECTORS, _PICTURES = "vectors.parquet", "pictures.zip"
_BATCH = 5_000


def export_store(store: Store, folder: Path, *, progress: Progress = silent) -> dict[str, int]:
    """Write the interactions, the current items and the deletions of a store to a folder.

    Args:
        store: The store.
        folder: Folder to write; an earlier export is replaced.
        progress: Callback for progress.

    Returns:
        Number of interactions, items and deletions, and the watermark.

    Raises:
        DataError: The folder holds something else or cannot be written.
        StoreError: The store cannot be read.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / EXPORT).is_file():
        raise DataError(f"{folder} is there and holds no export; choose another folder")
    state = store_state(store)
    at = state.watermark
    try:
        with atomic_folder(folder) as part:
            tables = {_LOG: interaction_table(store, watermark=at)}
            progress("export", 1, 4, "interactions")
            tables[_ITEMS] = item_table(store, watermark=at, pictures=part / _PICTURES)
            progress("export", 2, 4, "items")
            tables[_DELETIONS] = _deletions(store, at)
            tables[_VECTORS] = _vectors(store, at)
            for name, table in tables.items():
                pyarrow.parquet.write_table(table, part / name, compression="zstd")
            progress("export", 3, 4, "files")
            digests = {file.name: sha256_file(file) for file in sorted(part.iterdir())}
            content: dict[str, Any] = {"format": FORMAT, "store_id": state.store_id}
            content |= {"watermark": at, "sha256": digests}
            content["fields"] = None if state.fields is None else state.fields.model_dump()
            write_json(part / EXPORT, content)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{folder} cannot be written: {error}") from error
    progress("export", 4, 4)
    sizes = {"interactions": _LOG, "items": _ITEMS, "deletions": _DELETIONS}
    return {kind: len(tables[name]) for kind, name in sizes.items()} | {"watermark": at}


def read_export(folder: Path) -> tuple[str, CatalogueFields | None, int, Iterator[Change]]:
    """Fingerprint, meaning of the attributes, number of changes, and the changes of an export.

    Deletions come first: an interaction that was recorded after the deletion of its user stays.

    Raises:
        DataError: A file is missing or was changed.
    """
    try:
        content = read_json(folder / EXPORT)
        if content["format"] != FORMAT:
            raise DataError(
                f"{folder / EXPORT} has the format {content['format']!r}, expected {FORMAT}"
            )
        for name, digest in content["sha256"].items():
            if sha256_file(folder / name) != digest:
                raise DataError(f"{folder / name} was changed or cut short; export again")
        given = content["fields"]
        fields = None if given is None else parse_config(given, CatalogueFields)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ConfigError) as error:
        raise DataError(f"{folder} holds no whole export: {error}; export again") from error
    tables = {name: read_parquet(folder / name) for name in (_LOG, _ITEMS, _DELETIONS, _VECTORS)}
    count = sum(len(tables[name]) for name in (_LOG, _ITEMS, _DELETIONS))
    return sha256_json(content["sha256"]), fields, count, _changes(folder, tables)


def _changes(folder: Path, tables: dict[str, pa.Table]) -> Iterator[Change]:
    for row in _rows(tables[_DELETIONS]):
        yield UserDeleted(row["id"]) if row["kind"] == "user" else ItemDeleted(row["id"])
    vectors: dict[str, dict[str, Any]] = {}
    for row in _rows(tables[_VECTORS]):
        vectors.setdefault(row[ITEM], {})[row["space"]] = np.array(row["vector"], np.float32)
    with zipfile.ZipFile(folder / _PICTURES) as archive:
        for row in _rows(tables[_ITEMS]):
            item_id, picture = row.pop(ITEM), row.pop(PICTURE, None)
            yield ItemUpserted(
                *(item_id, row.pop(TITLE) or "", row.pop(TEXT) or ""),
                attributes={name: value for name, value in row.items() if value is not None},
                picture=None if picture is None else archive.read(picture),
                vectors=vectors.get(item_id),
            )
    for row in _rows(tables[_LOG]):
        yield InteractionRecorded(
            *(row.pop(USER), row.pop(ITEM), row.pop(TIMESTAMP)),
            event=row.pop(EVENT, None),
            weight=row.pop(WEIGHT, None),
            terms=row.pop(TERMS, None) or "",
            impression_id=row.pop(IMPRESSION, None) or "",
            context={name: value for name, value in row.items() if value is not None},
        )


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=_BATCH):
        yield from batch.to_pylist()


def _deletions(store: Store, watermark: int) -> pa.Table:
    """Users that were deleted, and items that are deleted at a watermark."""
    later = ENTRIES.alias()
    again = sa.exists().where(
        *(later.c.kind == UPSERT, later.c.item_id == ENTRIES.c.item_id),
        *(later.c.sequence > ENTRIES.c.sequence, later.c.sequence <= watermark),
    )
    query = (
        sa.select(ENTRIES.c.kind, ENTRIES.c.user_id, ENTRIES.c.item_id)
        .where(ENTRIES.c.kind.in_((USER_DELETED, ITEM_DELETED)), ENTRIES.c.sequence <= watermark)
        .where(~again)
        .order_by(ENTRIES.c.sequence)
    )
    with store.database.reading() as connection:
        rows = connection.execute(query).all()
    kinds = ["user" if row.kind == USER_DELETED else "item" for row in rows]
    ids = [row.user_id or row.item_id for row in rows]
    return pa.table({"kind": pa.array(kinds, pa.string()), "id": pa.array(ids, pa.string())})


def _vectors(store: Store, watermark: int) -> pa.Table:
    """Ready vectors of the last content of each item."""
    query = (
        sa.select(ENTRIES)
        .where(ENTRIES.c.kind == UPSERT, ENTRIES.c.vectors.is_not(None))
        .where(ENTRIES.c.sequence <= watermark)
        .order_by(ENTRIES.c.sequence)
    )
    found: dict[str, ItemUpserted] = {}
    with store.database.reading() as connection:
        for row in connection.execution_options(yield_per=_BATCH).execute(query):
            change = to_change(row)
            assert isinstance(change, ItemUpserted)
            found[change.item_id] = change
    rows = [
        (item.item_id, space, vector)
        for item in found.values()
        for space, vector in (item.vectors or {}).items()
    ]
    return pa.table(
        {
            ITEM: pa.array([row[0] for row in rows], pa.string()),
            "space": pa.array([row[1] for row in rows], pa.string()),
            "vector": pa.array([row[2].tolist() for row in rows], pa.list_(pa.float32())),
        }
    )
