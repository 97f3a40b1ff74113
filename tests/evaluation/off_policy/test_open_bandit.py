"""Estimates on the Open Bandit sample are the published ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.feed.open_bandit import ARCHIVE, PUBLISHED, gaps, read
from recsys.evaluation.off_policy import estimate

FILE = Path(os.environ.get("RECSYS_DATA_HOME", "")) / "open-bandit" / ARCHIVE


@pytest.mark.realdata
@pytest.mark.skipif(not FILE.is_file(), reason=f"RECSYS_DATA_HOME has no open-bandit/{ARCHIVE}")
def test_estimates_and_intervals_are_the_published_ones() -> None:
    found = estimate(read(FILE), resamples=2000)
    gap = gaps(found)
    assert gap["ips"] < 1e-4  # the published digits
    assert gap["dm"] < 0.01 and gap["dr"] < 0.01  # the regression stops where its library does
    for name, (_, low, high) in PUBLISHED.items():
        assert found[name].interval == pytest.approx((low, high), rel=0.05)
