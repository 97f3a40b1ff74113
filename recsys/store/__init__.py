"""The store: the durable log of what happened since a bundle was published.

Interactions, upserted and deleted items, and deleted users; and what feeds have shown. In SQLite or
PostgreSQL.
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
from recsys.store.compaction import Compaction, compact
from recsys.store.copying import backup
from recsys.store.exporting import export_store
from recsys.store.importing import Imported, import_folder
from recsys.store.impressions import (
    Impression,
    ImpressionQueue,
    ShownItems,
    export_impressions,
    impression_table,
    read_impressions,
)
from recsys.store.store import Store, check_key, open_store
from recsys.store.verification import Verification, verify

__all__ = [
    "Change",
    "Compaction",
    "Entry",
    "Imported",
    "Impression",
    "ImpressionQueue",
    "InteractionRecorded",
    "ItemDeleted",
    "ItemUpserted",
    "Receipt",
    "ShownItems",
    "Store",
    "UserDeleted",
    "Verification",
    "backup",
    "check_key",
    "compact",
    "export_impressions",
    "export_store",
    "import_folder",
    "impression_table",
    "read_impressions",
    "open_store",
    "verify",
]
