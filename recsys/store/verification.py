"""Verification: every promise of a store that its tables can break."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from recsys.errors import StoreError
from recsys.progress import Progress, silent
from recsys.store.databases.schema import ENTRIES, GAPS, IMPRESSIONS, ITEMS, KEYS, STATE, version
from recsys.store.impressions.packing import to_impression
from recsys.store.rows import ITEM_DELETED, UPSERT, USER_DELETED, to_change
from recsys.store.store import Store

_BATCH = 5_000
_SHOWN = 20


@dataclass(frozen=True)
class Verification:
    """Result of a verification.

    Attributes:
        schema_version: Version of the tables.
        store_id: Name of the store, which its copies share.
        watermark: Sequence number of the last change.
        entries: Number of entries in the log.
        impressions: Number of impressions.
        items: Number of current items.
        size: Number of bytes on disk.
        faults: Faults in words, the first 20 of each kind; empty for a whole store.
    """

    schema_version: int
    store_id: str
    watermark: int
    entries: int
    impressions: int
    items: int
    size: int
    faults: tuple[str, ...]


def verify(store: Store, *, progress: Progress = silent) -> Verification:
    """Read a whole store and check the database, the numbers of the log, and every entry.

    Raises:
        StoreError: The store cannot be read at all.
    """
    database = store.database
    faults = database.integrity_faults()[:_SHOWN]
    with database.reading() as connection:
        state = connection.execute(sa.select(STATE)).one()
        for query, text in _CHECKS:
            found = connection.execute(query.limit(_SHOWN)).all()
            faults += [text.format(*row) for row in found]
        entries = int(connection.execute(_count(ENTRIES)).scalar_one())
        missing = int(connection.execute(_MISSING).scalar_one() or 0)
        if entries + missing != state.watermark:
            faults.append(
                f"the log has {entries:,} entries and {missing:,} deleted ones, which must be"
                f" {state.watermark:,} together"
            )
        faults += _unreadable(connection, entries, progress)
        impressions = int(connection.execute(_count(IMPRESSIONS)).scalar_one())
        faults += _unreadable_impressions(connection)
        current = _count(ITEMS).where(ITEMS.c.deleted == sa.false())
        items = int(connection.execute(current).scalar_one())
        schema_version = version(connection)
    return Verification(
        *(schema_version, state.store_id, state.watermark, entries, impressions, items),
        store.size(),
        faults=tuple(faults),
    )


def _unreadable(connection: sa.Connection, count: int, progress: Progress) -> Iterator[str]:
    shown = done = last = 0
    while rows := connection.execute(_PART, {"after": last}).all():
        last, done = rows[-1].sequence, done + len(rows)
        for row in rows:
            try:
                to_change(row)
            except StoreError as error:
                shown += 1
                if shown <= _SHOWN:
                    yield error.message
        progress("verify", done, count)


def _unreadable_impressions(connection: sa.Connection) -> Iterator[str]:
    shown = 0
    for row in connection.execution_options(yield_per=_BATCH).execute(sa.select(IMPRESSIONS)):
        try:
            to_impression(row)
        except StoreError as error:
            shown += 1
            if shown <= _SHOWN:
                yield error.message


def _count(table: sa.Table) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(table)


_PART = (
    sa.select(ENTRIES)
    .where(ENTRIES.c.sequence > sa.bindparam("after"))
    .order_by(ENTRIES.c.sequence)
    .limit(_BATCH)
)
_MISSING = sa.select(sa.func.sum(GAPS.c.last - GAPS.c.first + 1))
_OTHER, _NEWER = GAPS.alias(), ENTRIES.alias()
_OF_ITEM = ENTRIES.c.kind.in_((UPSERT, ITEM_DELETED))
_WATERMARK = sa.select(STATE.c.watermark).scalar_subquery()
_CHECKS: tuple[tuple[sa.Select[Any], str], ...] = (
    (
        sa.select(ENTRIES.c.sequence).where(
            (ENTRIES.c.sequence < 1) | (ENTRIES.c.sequence > _WATERMARK)
        ),
        "entry {0} is outside of the log",
    ),
    (
        sa.select(ENTRIES.c.sequence).join(
            GAPS, ENTRIES.c.sequence.between(GAPS.c.first, GAPS.c.last)
        ),
        "entry {0} is there and marked as deleted",
    ),
    (
        sa.select(GAPS.c.first, _OTHER.c.first).join(
            _OTHER, (_OTHER.c.first > GAPS.c.first) & (_OTHER.c.first <= GAPS.c.last)
        ),
        "the deleted entries from {0} and from {1} overlap",
    ),
    (
        sa.select(GAPS.c.first, GAPS.c.last).where(
            (GAPS.c.first < 1) | (GAPS.c.last < GAPS.c.first) | (GAPS.c.last > _WATERMARK)
        ),
        "the deleted entries from {0} to {1} are outside of the log",
    ),
    (
        sa.select(ITEMS.c.item_id, ITEMS.c.sequence)
        .join(ENTRIES, ENTRIES.c.sequence == ITEMS.c.sequence, isouter=True)
        .where(
            ENTRIES.c.sequence.is_(None)
            | (ENTRIES.c.item_id != ITEMS.c.item_id)
            | (ENTRIES.c.kind != sa.case((ITEMS.c.deleted, ITEM_DELETED), else_=UPSERT))
        ),
        "item {0!r} must be in entry {1}, which does not hold it",
    ),
    (
        sa.select(ENTRIES.c.sequence, ENTRIES.c.item_id)
        .join(ITEMS, ITEMS.c.item_id == ENTRIES.c.item_id, isouter=True)
        .where(_OF_ITEM & (ITEMS.c.item_id.is_(None) | (ITEMS.c.sequence < ENTRIES.c.sequence))),
        "entry {0} changes item {1!r}, whose current content is older",
    ),
    (
        sa.select(ENTRIES.c.sequence, _NEWER.c.sequence).join(
            _NEWER,
            (_NEWER.c.kind == USER_DELETED)
            & (_NEWER.c.user_id == ENTRIES.c.user_id)
            & (_NEWER.c.sequence > ENTRIES.c.sequence),
        ),
        "entry {0} is of a user that entry {1} deleted",
    ),
    (
        sa.select(IMPRESSIONS.c.request_id, ENTRIES.c.sequence).join(
            ENTRIES,
            (ENTRIES.c.kind == USER_DELETED)
            & (ENTRIES.c.user_id == IMPRESSIONS.c.user_id)
            & (ENTRIES.c.sequence > IMPRESSIONS.c.watermark),
        ),
        "the impression {0!r} is of a user that entry {1} deleted",
    ),
    (
        sa.select(KEYS.c.watermark).where(KEYS.c.watermark > _WATERMARK),
        "an idempotency key stands for entry {0}, which is outside of the log",
    ),
)
"""Queries of rows that must not exist, with the fault of each row."""
