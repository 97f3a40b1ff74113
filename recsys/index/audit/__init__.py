"""Recall of live searches: a sample of them is answered exactly as well, in the background."""

from recsys.index.audit.audit import AuditConfig, RecallAudit
from recsys.index.audit.figures import AuditFigures, Drift, SearchKind, WindowFigure
from recsys.index.audit.samples import Sample

__all__ = [
    "AuditConfig",
    "AuditFigures",
    "Drift",
    "RecallAudit",
    "Sample",
    "SearchKind",
    "WindowFigure",
]
