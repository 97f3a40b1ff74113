"""The store: the durable log of what happened since a bundle was published.

Interactions, upserted and deleted items, and deleted users, in SQLite or PostgreSQL.
"""

from __future__ import annotations

from recsys.store.changes import (
    Change,
    Entry,
    InteractionRecorded,
    ItemDeleted,
    ItemUpserted,
    Receipt,
    UserDeleted,
)
from recsys.store.store import Store, open_store

__all__ = [
    "Change",
    "Entry",
    "InteractionRecorded",
    "ItemDeleted",
    "ItemUpserted",
    "Receipt",
    "Store",
    "UserDeleted",
    "open_store",
]
