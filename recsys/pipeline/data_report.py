"""What a run used of its data: rows left out, values read as missing, contents without a vector."""

from __future__ import annotations

from collections.abc import Sequence

from recsys.ingestion import IngestReport, group_by_reason
from recsys.pipeline.stage import StageResult


def data_lines(results: Sequence[StageResult]) -> list[str]:
    """The reports of the stages "ingest" and "encode", as far as they are in ``results``, as lines.

    A line that begins with blanks belongs to the one before it.
    """
    notes = {result.stage: result.notes for result in results}
    lines: list[str] = []
    if "ingest" in notes:
        lines += IngestReport.from_dict(notes["ingest"]["ingest"]).lines()
    for kind, faults in notes.get("encode", {}).get("unreadable", {}).items():
        found = [(fault["reason"], None, f"item {fault['item_id']}") for fault in faults]
        if found:
            lines.append(f"{kind}: {len(found):,} items have a content and no vector")
            lines += [f"  {group}" for group in group_by_reason(found)]
    return lines
