"""The benchmark of a training step takes real steps over logs in which every item is warm."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.training import step_time


def test_a_step_is_timed_on_a_log_with_one_interaction_per_item(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = step_time.log_of(45)
    assert log.warm.all() and np.diff(log.offsets).tolist() == [20, 20, 5]
    monkeypatch.setattr(step_time, "WARM_UP", 1)
    monkeypatch.setattr(step_time, "COUNTED", 2)
    measured = step_time.measure(300)
    assert 0 < measured["milliseconds"] < 60_000 and measured["peak_gib"] > 0
