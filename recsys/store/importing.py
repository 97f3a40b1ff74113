"""Imports: the log and catalogue of a run or bundle, or an export, as changes of a store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import sqlalchemy as sa

from recsys.catalogue import CatalogueFields
from recsys.errors import DataError
from recsys.ingestion import ingested_fingerprint, load_ingested
from recsys.pictures import PictureStore
from recsys.progress import Progress, silent
from recsys.store.appending import append_group
from recsys.store.changes import (
    Change,
    InteractionRecorded,
    ItemDeleted,
    ItemUpserted,
    UserDeleted,
)
from recsys.store.databases.schema import ENTRIES, IMPORTS, ITEMS, STATE
from recsys.store.exporting import EXPORT, read_export
from recsys.store.group_commit import PendingWrite
from recsys.store.ingested_changes import ingested_changes
from recsys.store.rows import USER_DELETED, to_row
from recsys.store.store import Store

PART = 2_000
"""Number of changes per transaction: other writers wait for no more than one."""
_PARAMETERS = 500


@dataclass(frozen=True)
class Imported:
    """Result of an import.

    Attributes:
        fingerprint: Fingerprint of the imported data.
        changes: Number of changes that were written now.
        left_out: Number of changes that the store already knew better: items that it holds or that
            were deleted, and interactions of deleted users.
        earlier: Number of changes that an earlier import of the same data wrote.
    """

    fingerprint: str
    changes: int
    left_out: int
    earlier: int


def import_folder(
    store: Store, folder: Path, *, pictures: PictureStore | None = None, progress: Progress = silent
) -> Imported:
    """Write the items and interactions of a folder to a store.

    Other programs may use the store meanwhile. An import that was stopped continues where it ended,
    and the same data are imported once.

    Args:
        store: The store.
        folder: A run (``runs/NAME``), its folder of bundles, one bundle, or an export of a store.
        pictures: Pictures of the catalogue of a run or bundle; None imports none.
        progress: Callback for progress.

    Raises:
        DataError: The folder holds neither, or a log without times.
        StoreError: The store cannot be written; the parts before stay.
    """
    fingerprint, fields, count, changes = _source(folder, pictures)
    database = store.database
    with database.reading() as connection:
        sizes = sa.select(sa.func.count(), sa.func.sum(IMPORTS.c.changes))
        done, before = connection.execute(sizes.where(IMPORTS.c.fingerprint == fingerprint)).one()
    written, left_out = 0, 0
    for number, part in enumerate(_parts(changes)):
        if number >= done:
            with database.writing() as connection:
                first = connection.execute(sa.select(STATE.c.watermark).with_for_update())
                start = first.scalar_one()
                kept = _unknown(connection, part, fingerprint)
                rows = [to_row(change) for change in kept]
                append_group(connection, [PendingWrite(rows, None, b"")])
                row = {"fingerprint": fingerprint, "part": number, "changes": len(rows)}
                row |= {"first": start + 1, "last": start + len(rows)}
                connection.execute(IMPORTS.insert().values(row))
                if fields is not None:
                    unset = STATE.update().where(STATE.c.fields.is_(None))
                    connection.execute(unset.values(fields=json.dumps(fields.model_dump())))
            written, left_out = written + len(kept), left_out + len(part) - len(kept)
        progress("import", min((number + 1) * PART, count), count)
    return Imported(fingerprint, written, left_out, int(before or 0))


def _source(
    folder: Path, pictures: PictureStore | None
) -> tuple[str, CatalogueFields | None, int, Iterator[Change]]:
    """Fingerprint, meaning of the attributes, number of changes, and the changes of a folder."""
    if (folder / EXPORT).is_file():
        return read_export(folder)
    current = folder / "CURRENT"
    version = current.read_text(encoding="utf-8").strip() if current.is_file() else ""
    for data in (
        *(folder, folder / "data", folder / "ingest" / "data"),
        folder / "versions" / version / "data",
    ):
        if (data / "ingested.json").is_file():
            ingested = load_ingested(data, pictures=pictures)
            return (ingested_fingerprint(data), *ingested_changes(ingested))
    raise DataError(
        f"{folder} holds nothing to import; name a run (runs/NAME), its bundles"
        " (runs/NAME/bundles), one bundle, or an export of a store"
    )


def _parts(changes: Iterator[Change]) -> Iterator[list[Change]]:
    while part := list(islice(changes, PART)):
        yield part


def _unknown(connection: sa.Connection, part: Sequence[Change], fingerprint: str) -> list[Change]:
    """The changes about which the store has nothing that another write made.

    Items that it knows keep their content, users that it knows are not deleted, and users that were
    deleted get no interactions.
    """
    inside = ENTRIES.c.sequence.between(IMPORTS.c.first, IMPORTS.c.last)
    own = sa.exists().where(IMPORTS.c.fingerprint == fingerprint, inside)
    users = sa.select(ENTRIES.c.user_id).where(~own)
    deletions = users.where(ENTRIES.c.kind == USER_DELETED)

    def ids(kind: type[Change], name: str) -> list[str]:
        return sorted({getattr(each, name) for each in part if isinstance(each, kind)})

    items = ids(ItemUpserted, "item_id") + ids(ItemDeleted, "item_id")
    known: dict[type[Change], set[str]] = {
        InteractionRecorded: _found(
            connection, deletions, ENTRIES.c.user_id, ids(InteractionRecorded, "user_id")
        ),
        UserDeleted: _found(connection, users, ENTRIES.c.user_id, ids(UserDeleted, "user_id")),
        ItemUpserted: _found(connection, sa.select(ITEMS.c.item_id), ITEMS.c.item_id, items),
    }
    known[ItemDeleted] = known[ItemUpserted]
    return [each for each in part if _id_of(each) not in known[type(each)]]


def _id_of(change: Change) -> str:
    if isinstance(change, InteractionRecorded | UserDeleted):
        return change.user_id
    return change.item_id


def _found(
    connection: sa.Connection,
    query: sa.Select[str],
    column: sa.Column[str],
    ids: Sequence[str],
) -> set[str]:
    """The ids of a query that are among ``ids``."""
    parts = [ids[start : start + _PARAMETERS] for start in range(0, len(ids), _PARAMETERS)]
    return {
        found
        for part in parts
        for found in connection.execute(query.where(column.in_(part))).scalars()
    }
