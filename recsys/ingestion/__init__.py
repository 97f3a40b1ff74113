"""From tables to data that the engine can trust: checked, cleaned by a policy, numbered, counted.

Reading files is the business of ``recsys.formats``; splitting of ``recsys.splits``.
"""

from __future__ import annotations

from recsys.ingestion.ingest import MISSING_CONTEXT, IngestedData, ingest
from recsys.ingestion.policy import IngestPolicy
from recsys.ingestion.report import Group, IngestReport, TableReport
from recsys.ingestion.storage import load_ingested, save_ingested

__all__ = [
    "MISSING_CONTEXT",
    "Group",
    "IngestPolicy",
    "IngestReport",
    "IngestedData",
    "TableReport",
    "ingest",
    "load_ingested",
    "save_ingested",
]
