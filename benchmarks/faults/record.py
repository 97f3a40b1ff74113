"""One record for the counts of all parts, each of which replaces its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from recsys.evaluation.record import write_record

RESULT = Path("benchmarks/results/faults.json")


def record_counts(counts: Mapping[str, float], *, seed: int) -> None:
    """Write counts into the record; those of other names stay."""
    before = json.loads(RESULT.read_text(encoding="utf-8"))["figures"] if RESULT.is_file() else {}
    write_record(
        RESULT,
        name="faults",
        command="python -m benchmarks.faults",
        seeds=[seed],
        figures={**before, **counts},
    )
