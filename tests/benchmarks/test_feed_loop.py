"""The closed loop of a feed trains its ranker from what it has logged."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.feed.loop import Loop, growing_world

pytest.importorskip("lightgbm")


def test_later_rounds_rank_by_the_clicks_so_far() -> None:
    loop = Loop(growing_world(120, 100, seed=1), (), 60, np.random.default_rng(1))
    rounds = list(loop.run(3))
    assert [each["round"] for each in rounds] == [1, 2, 3]
    assert rounds[-1]["clicks"] > 1.2 * rounds[0]["clicks"]
