"""Any sequence of writes, searches, saves and compactions is a dictionary with exact search."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from recsys.ids import Vectors
from recsys.index import ExactIndex, Index, ScannConfig, build_index
from recsys.index.live import applying
from tests.index.live.machine import LiveMachine

EXAMPLES = int(os.environ.get("RECSYS_LIVE_EXAMPLES", "0"))
"""Number of sequences of a longer run; 0 for the few of the suite."""
CONFIG = ScannConfig(num_leaves=6, leaves_to_search=2, reorder=4, brute_force_below=16)


class ExactMachine(LiveMachine):
    build = staticmethod(ExactIndex.of)


class ScannMachine(LiveMachine):
    exact = False
    first_rows = 60

    @staticmethod
    def build(vectors: Vectors) -> Index:
        return build_index(vectors, CONFIG)


@pytest.mark.parametrize(
    ("machine", "examples", "steps"), [(ExactMachine, 15, 20), (ScannMachine, 3, 12)]
)
def test_a_live_index_is_a_dictionary(
    machine: type[LiveMachine], examples: int, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "TAIL", 5)  # Group after a few writes.
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES or examples,
            stateful_step_count=50 if EXAMPLES else steps,
            derandomize=not EXAMPLES,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
