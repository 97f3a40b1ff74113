"""Killing the publisher at any point leaves the old bundle whole, and the next one succeeds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_killed_at_every_step(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bundle.killed_publisher", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    deaths = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(deaths) > 20 and not deaths[-1]["killed"], "it was not killed often, or not let live"
    seeds = [death["seed"] for death in deaths]
    assert seeds[0] == 0 and seeds[-1] == 1
    assert seeds == sorted(seeds), "the pointer moved back and forth"
    for number, death in enumerate(deaths):
        where = f"killed at point {number}: {death}"
        assert death["faults"] == [] and death["answers"] > 5, where
        assert death["again"] and death["bundles"] == 2, where
        assert death["left"] == [".lock", "ACTIVATIONS.json", "CURRENT", "versions"], where
