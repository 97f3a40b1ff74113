"""Impressions: what each feed has shown, with the features of its items."""

from recsys.store.impressions.impression import Impression, new_request_id
from recsys.store.impressions.queue import ImpressionQueue
from recsys.store.impressions.tables import export_impressions, impression_table, impressions

__all__ = [
    "Impression",
    "ImpressionQueue",
    "export_impressions",
    "impression_table",
    "impressions",
    "new_request_id",
]
