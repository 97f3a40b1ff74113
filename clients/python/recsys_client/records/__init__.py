"""What a service records and shows: interactions, items, bundles and its own description."""

from recsys_client.records.bundles import ActiveBundles, BundleChange, BundleRecord
from recsys_client.records.descriptions import (
    ColumnSummary,
    ContextSummary,
    Description,
    SpaceSummary,
)
from recsys_client.records.interactions import History, Interaction, StreamReceipt
from recsys_client.records.items import CatalogItem, FoundItems, Item, ItemPage
from recsys_client.records.receipts import WriteReceipt, new_key

__all__ = [
    "ActiveBundles",
    "BundleChange",
    "BundleRecord",
    "CatalogItem",
    "ColumnSummary",
    "ContextSummary",
    "Description",
    "FoundItems",
    "History",
    "Interaction",
    "Item",
    "ItemPage",
    "SpaceSummary",
    "StreamReceipt",
    "WriteReceipt",
    "new_key",
]
