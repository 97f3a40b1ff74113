"""Interactions and items of a store as Arrow tables, which training and exports read."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from recsys.catalogue import CatalogueFields
from recsys.config import parse_config
from recsys.errors import DataError
from recsys.files import atomic_file
from recsys.interactions import EVENT, ITEM, TERMS, TIMESTAMP, USER, WEIGHT
from recsys.store.changes import ItemUpserted
from recsys.store.databases.schema import ENTRIES, STATE
from recsys.store.rows import INTERACTION, ITEM_DELETED, UPSERT, to_change
from recsys.store.store import Store

TITLE, TEXT, PICTURE = "title", "text", "picture"
"""Columns of an item table next to its attributes."""
IMPRESSION = "impression_id"
"""Column of an interaction table: the impression that the interaction answers."""
SEPARATOR = "\x1f"
"""Separator of the values of a list where ingestion joins them: no text of a catalogue has it."""
_BATCH = 50_000
_PICTURES = 200
_COLUMNS = {
    USER: pa.string(),
    ITEM: pa.string(),
    TIMESTAMP: pa.int64(),
    EVENT: pa.string(),
    WEIGHT: pa.float64(),
    TERMS: pa.string(),
    IMPRESSION: pa.string(),
    "context": pa.string(),
}


def interaction_table(store: Store, *, watermark: int | None = None) -> pa.Table:
    """All interactions, in the order of the log.

    Args:
        store: The store.
        watermark: Sequence number of the last change to read; None for all.

    Returns:
        Columns user_id, item_id, timestamp (int64 seconds), and, where an interaction has them,
        event, weight, terms, impression_id and each column of context.

    Raises:
        DataError: The watermark is above that of the store, or a column of context has a reserved
            name.
    """
    parts = [
        pa.table(
            [pa.array(values, kind) for values, kind in zip(columns, _COLUMNS.values())],
            list(_COLUMNS),
        )
        for columns in _interactions(store, _checked(store, watermark, of="interactions"))
    ]
    empty = pa.table({name: pa.array([], kind) for name, kind in _COLUMNS.items()})
    table = pa.concat_tables([empty, *parts])
    contexts = table["context"]
    table = table.drop_columns(["context"])
    unused = [
        name for name in (EVENT, WEIGHT, TERMS, IMPRESSION) if table[name].null_count == len(table)
    ]
    return _with_context(table.drop_columns(unused), contexts)


def item_table(
    store: Store, *, watermark: int | None = None, pictures: Path | None = None
) -> pa.Table:
    """The items at a watermark, in the order of their ids.

    Args:
        store: The store.
        watermark: Sequence number of the last change to read; None for all.
        pictures: Zip archive to write the pictures to; None leaves them out.

    Returns:
        Columns item_id, title and text; picture, the name in the archive; and each attribute, whose
        name must be none of these: text, float64, bool, or a list of texts.

    Raises:
        DataError: An attribute has values of different types, or one of the names above; or the
            store was compacted after the watermark.
    """
    found: list[ItemUpserted] = []
    names: list[str | None] = []
    with_pictures = _items(store, _checked(store, watermark, of="items"))
    if pictures is None:
        found = [item for _, item in with_pictures]
    else:
        with atomic_file(pictures) as part, zipfile.ZipFile(part, "w") as archive:
            for sequence, item in with_pictures:
                found.append(item)
                names.append(None if item.picture is None else f"{sequence}.bin")
                if item.picture is not None:
                    archive.writestr(f"{sequence}.bin", item.picture)
    columns: dict[str, pa.Array] = {
        ITEM: pa.array([item.item_id for item in found], pa.string()),
        TITLE: pa.array([item.title or None for item in found], pa.string()),
        TEXT: pa.array([item.text or None for item in found], pa.string()),
    }
    if any(names):
        columns[PICTURE] = pa.array(names, pa.string())
    for name in dict.fromkeys(name for item in found for name in item.attributes):
        if name in {ITEM, TITLE, TEXT, PICTURE}:
            raise DataError(
                f"the store has items with an attribute '{name}', which is the name of another"
                " column; rename it"
            )
        columns[name] = _attribute_column(name, [item.attributes.get(name) for item in found])
    return pa.table(columns)


@dataclass(frozen=True)
class StoreState:
    """The state of a store.

    Attributes:
        store_id: Name of the store, which its copies share.
        watermark: Sequence number of the last change.
        compacted: Watermark of the last compaction, below which old contents of items are missing.
        fields: Meaning of the attributes, as imported data stated it, or None.
    """

    store_id: str
    watermark: int
    compacted: int
    fields: CatalogueFields | None


def store_state(store: Store) -> StoreState:
    """The state of a store now."""
    with store.database.reading() as connection:
        row = connection.execute(sa.select(STATE)).one()
    fields = None if row.fields is None else parse_config(json.loads(row.fields), CatalogueFields)
    return StoreState(row.store_id, row.watermark, row.compacted, fields)


def _checked(store: Store, watermark: int | None, *, of: str) -> int:
    state = store_state(store)
    if watermark is None:
        return state.watermark
    if not 0 <= watermark <= state.watermark:
        raise DataError(
            f"{store.where}: the watermark must be from 0 to {state.watermark:,}, that of the"
            f" store; got {watermark:,}"
        )
    if of == "items" and watermark < state.compacted:
        raise DataError(
            f"{store.where}: the items at watermark {watermark:,} are not known any more, since the"
            f" store was compacted at {state.compacted:,}; read from there on"
        )
    return watermark


def _interactions(store: Store, watermark: int) -> Iterator[Sequence[Sequence[Any]]]:
    """The columns of batches of interactions."""
    names = (*(USER, ITEM, "time"), *(EVENT, WEIGHT, TERMS, IMPRESSION, "context"))
    query = (
        sa.select(*(ENTRIES.c[name] for name in names))
        .where(ENTRIES.c.kind == INTERACTION, ENTRIES.c.sequence <= watermark)
        .order_by(ENTRIES.c.sequence)
    )
    with store.database.reading() as connection:
        for rows in connection.execution_options(yield_per=_BATCH).execute(query).partitions():
            yield list(zip(*rows))


def _items(store: Store, watermark: int) -> Iterator[tuple[int, ItemUpserted]]:
    """Every item at a watermark with the number of its entry."""
    of_item = ENTRIES.c.kind.in_((UPSERT, ITEM_DELETED)) & (ENTRIES.c.sequence <= watermark)
    last = (
        sa.select(sa.func.max(ENTRIES.c.sequence).label("sequence"))
        .where(of_item)
        .group_by(ENTRIES.c.item_id)
        .subquery()
    )
    query = (
        sa.select(ENTRIES)
        .join(last, last.c.sequence == ENTRIES.c.sequence)
        .where(ENTRIES.c.kind == UPSERT)
        .order_by(ENTRIES.c.item_id)
    )
    with store.database.reading() as connection:
        for row in connection.execution_options(yield_per=_PICTURES).execute(query):
            change = to_change(row)
            assert isinstance(change, ItemUpserted)
            yield row.sequence, change


def _with_context(table: pa.Table, contexts: pa.ChunkedArray) -> pa.Table:
    """The table with one column per name of a context; few contexts differ."""
    encoded = contexts.dictionary_encode().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([]).dictionary_encode()
    distinct = [json.loads(text) for text in encoded.dictionary.to_pylist()]
    for name in dict.fromkeys(name for context in distinct for name in context):
        if name in {USER, ITEM, TIMESTAMP, EVENT, WEIGHT, TERMS, IMPRESSION, "position"}:
            raise DataError(f"the store has a context column '{name}', whose name is reserved")
        values = pa.array([context.get(name) for context in distinct], pa.string())
        table = table.append_column(name, pc.take(values, encoded.indices))
    return table


def _attribute_column(name: str, values: Iterable[Any]) -> pa.Array:
    """A column of one type; an item without the attribute is null."""
    given = list(values)
    kinds = {type(value) for value in given if value is not None}
    if kinds == {str, tuple}:  # one of several texts
        given = [(value,) if isinstance(value, str) else value for value in given]
        kinds = {tuple}
    if len(kinds) > 1:
        shown = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise DataError(
            f"the attribute '{name}' has values of different types in different items ({shown});"
            " upsert these items with values of one type"
        )
    types = {str: pa.string(), float: pa.float64(), bool: pa.bool_(), tuple: pa.list_(pa.string())}
    return pa.array(given, types[kinds.pop()] if kinds else pa.string())
