"""Bootstrap intervals."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.bootstrap import bootstrap_intervals


def test_the_interval_of_a_coin_is_near_its_known_one() -> None:
    # 400 of 1,000: standard error sqrt(0.4 * 0.6 / 1000) = 0.0155; 95% is 1.96 of them a side.
    values = np.repeat([1.0, 0.0], [400, 600])
    low, high = bootstrap_intervals({"coin": values}, seed=1)["coin"]
    assert abs(low - (0.4 - 1.96 * 0.0155)) < 0.005
    assert abs(high - (0.4 + 1.96 * 0.0155)) < 0.005


def test_queries_that_do_not_count_change_nothing_but_the_draw() -> None:
    some = np.concatenate([np.repeat([1.0, 0.0], [400, 600]), np.full(1000, np.nan)])
    low, high = bootstrap_intervals({"coin": some}, seed=1)["coin"]
    assert 0.36 < low < 0.38 and 0.42 < high < 0.44


def test_the_same_seed_gives_the_same_interval_and_another_one_another() -> None:
    values = {"a": np.random.default_rng(0).random(50)}
    assert (
        bootstrap_intervals(values, seed=3)
        == bootstrap_intervals(values, seed=3)
        != bootstrap_intervals(values, seed=4)
    )


def test_no_interval_without_queries() -> None:
    made = bootstrap_intervals(
        {"none": np.full(4, np.nan), "rare": np.array([np.nan, np.nan, np.nan, 0.5])}
    )
    assert made == {"rare": (0.5, 0.5)}
