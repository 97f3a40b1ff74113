"""How far a part of a log is from a random draw."""

import numpy as np
import pytest

from benchmarks.split_shift import BOUNDS, shift


def test_a_hand_worked_table() -> None:
    # Two items of 50: 5 and 15 in the part, a share of 0.2; each is 5 from 10, over 8.
    figures = shift("test", np.array([5, 15, 99]), np.array([50, 50, 10]))
    assert figures == pytest.approx({"test.40.share": 0.2, "test.40.dispersion": 25 / 8})


@pytest.mark.parametrize("least", BOUNDS)
def test_a_random_draw_has_a_dispersion_of_one_and_a_moved_one_more(least: int) -> None:
    rng = np.random.default_rng(0)
    whole = np.full(4000, least)
    random = rng.binomial(whole, 0.2)
    moved = rng.binomial(whole, rng.choice([0.1, 0.3], size=4000))
    assert shift("x", random, whole)[f"x.{least}.dispersion"] == pytest.approx(1, abs=0.1)
    assert shift("x", moved, whole)[f"x.{least}.dispersion"] > 2
