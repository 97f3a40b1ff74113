"""One record for the counts of all parts, each of which replaces its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from recsys.evaluation.record import commit, write_record

RESULT = Path("benchmarks/results/faults.json")


def record_counts(part: str, counts: Mapping[str, float], *, seed: int) -> None:
    """Write the counts of a part into the record; those of other parts stay.

    ``parts`` of the record holds commit and time of each part.
    """
    before: dict[str, Any] = {}
    if RESULT.is_file():
        before = json.loads(RESULT.read_text(encoding="utf-8"))
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    write_record(
        RESULT,
        name="faults",
        command="python -m benchmarks.faults",
        seeds=[seed],
        figures={**before.get("figures", {}), **counts},
        parts={**before.get("parts", {}), part: {"commit": commit(), "date": now}},
    )
