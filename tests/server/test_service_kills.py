"""Kills amid writes; ``python -m benchmarks.faults`` does it fifty times."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from benchmarks.faults.service import run_kills


@pytest.mark.slow
def test_no_acknowledged_write_is_lost_or_doubled(tmp_path: Path) -> None:
    store = tmp_path / "store.db"

    def command(port: int) -> list[str]:
        settings = [f"store={store}", f"port={port}", "workers=2", "grace=1"]
        module = "tests.server.line_service"
        return [sys.executable, "-m", module, "worker=tests.server.live_worker", *settings]

    counts = run_kills(command, store, ["worker", "all"], rng=random.Random(1), users=2, writes=5)
    assert counts["lost"] == counts["doubled"] == counts["hidden"] == 0
    assert counts["acknowledged"] >= 15
