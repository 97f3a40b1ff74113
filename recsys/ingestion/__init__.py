"""Ingestion: tables are checked, cleaned by a policy, counted, and their ids mapped to rows."""

from __future__ import annotations

from recsys.ingestion.ingest import MISSING_CONTEXT, IngestedData, ingest
from recsys.ingestion.policy import IngestPolicy
from recsys.ingestion.report import Group, IngestReport, group_by_reason
from recsys.ingestion.storage import ingested_fingerprint, load_ingested, save_ingested

__all__ = [
    "MISSING_CONTEXT",
    "Group",
    "IngestPolicy",
    "IngestReport",
    "IngestedData",
    "group_by_reason",
    "ingest",
    "ingested_fingerprint",
    "load_ingested",
    "save_ingested",
]
