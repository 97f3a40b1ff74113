"""Compaction: old entries leave the log, and their space is freed."""

from __future__ import annotations

import time
from dataclasses import dataclass

import sqlalchemy as sa

from recsys.errors import InvalidRequestError
from recsys.progress import Progress, silent
from recsys.store.appending import KEY_SECONDS, remove_entries
from recsys.store.databases.schema import ENTRIES, GAPS, IMPRESSIONS, ITEMS, KEYS, STATE
from recsys.store.impressions.recording import remove_impressions
from recsys.store.rows import INTERACTION, ITEM_DELETED, UPSERT
from recsys.store.store import Store

STEP = 20_000
"""Number of sequence numbers per transaction: other writers wait for no more than one."""
_DAY = 24 * 3600


@dataclass(frozen=True)
class Compaction:
    """What a compaction removed.

    Attributes:
        interactions: Number of interactions older than the retention.
        items: Number of contents of items that a later change replaced.
        keys: Number of expired idempotency keys.
        impressions: Number of impressions older than the retention.
        bytes_before: Size of the store before.
        bytes_after: Size of the store afterwards.
    """

    interactions: int
    items: int
    keys: int
    impressions: int
    bytes_before: int
    bytes_after: int


def compact(
    store: Store, *, keep_days: float | None = None, progress: Progress = silent
) -> Compaction:
    """Remove what no reader needs any more, while others read and write.

    The content of an item that a later change replaced is removed: a reader of the log from an
    earlier number sees each item once, with its last content.

    Args:
        store: The store.
        keep_days: Retention: age in days, by their own time, from which interactions and
            impressions are removed; None keeps all.
        progress: Callback for progress.

    Raises:
        StoreError: The store cannot be written; completed steps stay.
        InvalidRequestError: ``keep_days`` is negative.
    """
    if keep_days is not None and not keep_days >= 0:
        raise InvalidRequestError(f"keep_days must be 0 or more; got {keep_days}")
    database, before, last = store.database, store.size(), store.watermark
    interactions = items = 0
    oldest = None if keep_days is None else int(time.time() - keep_days * _DAY)
    for first in range(1, last + 1, STEP):
        inside = ENTRIES.c.sequence.between(first, min(first + STEP - 1, last))
        with database.writing() as connection:
            connection.execute(STATE.update().values(compacted=last))
            items += remove_entries(connection, inside & _replaced())
            if oldest is not None:
                old = (ENTRIES.c.kind == INTERACTION) & (ENTRIES.c.time < oldest)
                interactions += remove_entries(connection, inside & old)
        progress("compact", min(first + STEP - 1, last), last)
    with database.writing() as connection:
        now = connection.execute(sa.select(STATE.c.recorded).with_for_update()).scalar_one()
        now = max(now, int(time.time()))
        keys = connection.execute(KEYS.delete().where(KEYS.c.recorded < now - KEY_SECONDS)).rowcount
        impressions = 0
        if oldest is not None:
            impressions = remove_impressions(connection, IMPRESSIONS.c.time < oldest)
        _merge_gaps(connection)
        database.erased()
    database.reclaim()
    return Compaction(interactions, items, keys, impressions, before, store.size())


def _replaced() -> sa.ColumnElement[bool]:
    """Entries of items that a later entry replaced."""
    current = sa.select(ITEMS.c.sequence).where(ITEMS.c.item_id == ENTRIES.c.item_id)
    of_item = ENTRIES.c.kind.in_((UPSERT, ITEM_DELETED))
    return of_item & (ENTRIES.c.sequence != current.scalar_subquery())


def _merge_gaps(connection: sa.Connection) -> None:
    """Adjacent gaps become one: between them, the last number less the missing numbers is equal."""
    size = GAPS.c.last - GAPS.c.first + 1
    run = (GAPS.c.last - sa.func.sum(size).over(order_by=GAPS.c.first)).label("run")
    runs = sa.select(GAPS.c.first, GAPS.c.last, run).subquery()
    bounds = sa.select(sa.func.min(runs.c.first), sa.func.max(runs.c.last)).group_by(runs.c.run)
    merged = [{"first": first, "last": last} for first, last in connection.execute(bounds)]
    connection.execute(GAPS.delete())
    if merged:
        connection.execute(GAPS.insert(), merged)
