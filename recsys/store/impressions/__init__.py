"""Impressions: what each feed has shown, with the features of its items."""

from recsys.store.impressions.counting import ShownItems
from recsys.store.impressions.impression import MAX_HISTORY, Impression, new_request_id
from recsys.store.impressions.queue import ImpressionQueue
from recsys.store.impressions.tables import export_impressions, impression_table, read_impressions

__all__ = [
    "MAX_HISTORY",
    "Impression",
    "ImpressionQueue",
    "ShownItems",
    "export_impressions",
    "impression_table",
    "read_impressions",
    "new_request_id",
]
