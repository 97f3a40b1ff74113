"""The transaction that appends a group of writes to the log."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from recsys.errors import InvalidRequestError
from recsys.store.changes import Receipt
from recsys.store.databases.schema import ENTRIES, GAPS, IMPRESSIONS, ITEMS, KEYS, STATE
from recsys.store.group_commit import PendingWrite
from recsys.store.impressions.recording import remove_impressions
from recsys.store.rows import ITEM_DELETED, UPSERT, USER_DELETED, Row

KEY_SECONDS = 24 * 3600
"""Time for which an idempotency key is remembered."""
_FORGOTTEN = 5_000
"""Largest number of expired keys that one transaction removes."""
_PARAMETERS = 500
_KNOWN = sa.select(KEYS.c.key, KEYS.c.digest, KEYS.c.watermark).where(
    KEYS.c.key.in_(sa.bindparam("keys", expanding=True))
)
_STATE = sa.select(STATE.c.watermark, STATE.c.recorded).with_for_update()
_INSERT, _INSERT_KEYS = ENTRIES.insert(), KEYS.insert()
_ADVANCE = STATE.update().values(watermark=sa.bindparam("last"), recorded=sa.bindparam("now"))
_OLD_KEYS = KEYS.delete().where(
    KEYS.c.key.in_(
        sa.select(KEYS.c.key).where(KEYS.c.recorded < sa.bindparam("limit")).limit(_FORGOTTEN)
    )
)


def append_group(
    connection: sa.Connection, group: Sequence[PendingWrite]
) -> tuple[list[Receipt | Exception], bool]:
    """Append the changes of every write of a group that is new, in the order of the group.

    Returns:
        The result of each write, valid once the transaction is committed; and whether a user was
        deleted.
    """
    watermark, before = connection.execute(_STATE).one()
    now = max(before, int(time.time()))  # a clock that is set back does not move the log back
    known = _known_keys(connection, [each.key for each in group if each.key is not None])
    rows: list[Row] = []
    keys: list[Row] = []
    results: list[Receipt | Exception] = []
    for pending in group:
        if pending.key is not None and pending.key in known:
            results.append(_earlier(pending, *known[pending.key]))
            continue
        for row in pending.rows:
            watermark += 1
            rows.append({**row, "sequence": watermark, "recorded": now})
        results.append(Receipt(watermark, repeated=False))
        if pending.key is not None:
            known[pending.key] = pending.digest, watermark
            key = {"key": pending.key, "digest": pending.digest, "watermark": watermark}
            keys.append({**key, "recorded": now})
    if rows:
        connection.execute(_INSERT, rows)
        _apply(connection, rows)
        connection.execute(_ADVANCE, {"last": watermark, "now": now})
    if keys:
        connection.execute(_INSERT_KEYS, keys)
    if keys and now > before:  # at most once per second
        connection.execute(_OLD_KEYS, {"limit": now - KEY_SECONDS})
    return results, any(row["kind"] == USER_DELETED for row in rows)


def remove_entries(connection: sa.Connection, where: sa.ColumnElement[bool]) -> int:
    """Delete entries of the log; their sequence numbers become gaps.

    Returns:
        Number of entries removed.
    """
    offset = ENTRIES.c.sequence - sa.func.row_number().over(order_by=ENTRIES.c.sequence)
    runs = sa.select(ENTRIES.c.sequence, offset.label("run")).where(where).subquery()
    bounds = sa.select(sa.func.min(runs.c.sequence), sa.func.max(runs.c.sequence))
    connection.execute(GAPS.insert().from_select(["first", "last"], bounds.group_by(runs.c.run)))
    return connection.execute(ENTRIES.delete().where(where)).rowcount


def _known_keys(connection: sa.Connection, keys: Sequence[bytes]) -> dict[bytes, tuple[bytes, int]]:
    found: dict[bytes, tuple[bytes, int]] = {}
    for start in range(0, len(keys), _PARAMETERS):
        part = connection.execute(_KNOWN, {"keys": list(keys[start : start + _PARAMETERS])})
        found |= {bytes(row.key): (bytes(row.digest), row.watermark) for row in part}
    return found


def _earlier(pending: PendingWrite, digest: bytes, watermark: int) -> Receipt | Exception:
    """The result of a write whose key was used before."""
    if digest == pending.digest:
        return Receipt(watermark, repeated=True)
    return InvalidRequestError(
        "the idempotency key was used for other changes; use a new key for each write, and the same"
        " one only to repeat it",
        field="idempotency_key",
    )


def _apply(connection: sa.Connection, rows: Sequence[Row]) -> None:
    """Bring the current items up to date, and remove all that is known of deleted users."""
    items = {
        row["item_id"]: {
            "item_id": row["item_id"],
            "sequence": row["sequence"],
            "deleted": row["kind"] == ITEM_DELETED,
        }
        for row in rows
        if row["kind"] in (UPSERT, ITEM_DELETED)
    }
    if items:
        connection.execute(_upsert(connection.dialect.name), list(items.values()))
    for row in rows:
        if row["kind"] == USER_DELETED:
            same = ENTRIES.c.user_id == row["user_id"]
            remove_entries(connection, same & (ENTRIES.c.sequence < row["sequence"]))
            remove_impressions(connection, IMPRESSIONS.c.user_id == row["user_id"])


def _upsert(dialect: str) -> sa.Insert:
    insert = (sqlite if dialect == "sqlite" else postgresql).insert(ITEMS)
    new: Mapping[str, sa.ColumnElement[object]] = {
        name: insert.excluded[name] for name in ("sequence", "deleted")
    }
    made: sa.Insert = insert.on_conflict_do_update(index_elements=[ITEMS.c.item_id], set_=new)
    return made
