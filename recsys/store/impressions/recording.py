"""Transactions on the impressions of a store."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from recsys.store.databases.schema import ENTRIES, IMPRESSIONS, STATE
from recsys.store.rows import USER_DELETED

_PARAMETERS = 500
_LOCK = sa.select(STATE.c.watermark).with_for_update()
_DELETED = (
    sa.select(ENTRIES.c.user_id, sa.func.max(ENTRIES.c.sequence).label("sequence"))
    .where(ENTRIES.c.user_id.in_(sa.bindparam("users", expanding=True)))
    .where(ENTRIES.c.kind == USER_DELETED)
    .group_by(ENTRIES.c.user_id)
)


def insert_impressions(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> int:
    """Insert rows that are not there yet, without those of users who were deleted meanwhile.

    Returns:
        Number of rows left out because their user was deleted after the state that answered.
    """
    connection.execute(_LOCK)  # no deletion is committed between the look at it and the insertion
    deleted = _deletions(connection, {row["user_id"] for row in rows if row["user_id"] is not None})
    kept = [row for row in rows if deleted.get(row["user_id"], 0) <= row["watermark"]]
    if kept:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        insert: Any = dialect.insert(IMPRESSIONS).on_conflict_do_nothing()
        now = int(time.time())
        connection.execute(insert, [{**row, "recorded": now} for row in kept])
    return len(rows) - len(kept)


def remove_impressions(connection: sa.Connection, where: sa.ColumnElement[bool]) -> int:
    """Delete impressions; returns their number."""
    return connection.execute(IMPRESSIONS.delete().where(where)).rowcount


def _deletions(connection: sa.Connection, users: Iterable[str]) -> dict[str | None, int]:
    """Sequence number of the last deletion of each user who was deleted."""
    names, found = sorted(users), dict[str | None, int]()
    for start in range(0, len(names), _PARAMETERS):
        part = connection.execute(_DELETED, {"users": names[start : start + _PARAMETERS]})
        found |= {row.user_id: row.sequence for row in part}
    return found
