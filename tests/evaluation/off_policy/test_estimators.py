"""Off-policy estimates in a world whose values are known, and refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import DataError, InvalidRequestError
from recsys.evaluation.off_policy import LoggedFeedback, PredictedRewards, estimate

CONTEXTS = np.array([0.5, 0.3, 0.2])
RATES = np.array([[0.1, 0.5, 0.2, 0.4], [0.3, 0.1, 0.6, 0.2], [0.9, 0.1, 0.1, 0.3]])
SERVED = np.array([[0.4, 0.1, 0.3, 0.2], [0.1, 0.2, 0.2, 0.5], [0.25, 0.25, 0.25, 0.25]])
NEW = np.array([[0.0, 0.8, 0.1, 0.1], [0.2, 0.0, 0.7, 0.1], [0.6, 0.1, 0.1, 0.2]])
TRUTH = float((CONTEXTS[:, None] * NEW * RATES).sum())


def feedback_of(
    context: np.ndarray, action: np.ndarray, reward: np.ndarray, model: np.ndarray
) -> LoggedFeedback:
    return LoggedFeedback(
        rewards=reward.astype(np.float64),
        propensities=SERVED[context, action],
        target=NEW[context, action],
        predicted=PredictedRewards(model[context, action], (NEW * model).sum(axis=1)[context]),
    )


def whole_world(model: np.ndarray) -> LoggedFeedback:
    """A log in which each (context, action, reward) is as frequent as it is probable."""
    cells = []
    for context in range(3):
        for action in range(4):
            shown = round(1000 * CONTEXTS[context] * SERVED[context, action] * 20)
            clicks = round(shown * RATES[context, action])
            assert clicks == pytest.approx(shown * RATES[context, action])
            cells += [(context, action, 1)] * clicks + [(context, action, 0)] * (shown - clicks)
    context, action, reward = np.array(cells).T
    return feedback_of(context, action, reward, model)


def drawn_world(rng: np.random.Generator, n: int, model: np.ndarray) -> LoggedFeedback:
    context = rng.choice(3, n, p=CONTEXTS)
    action = (rng.random(n)[:, None] > SERVED.cumsum(axis=1)[context]).sum(axis=1)
    reward = rng.random(n) < RATES[context, action]
    return feedback_of(context, action, reward, model)


def test_every_estimator_finds_the_value_of_a_world_seen_whole() -> None:
    found = estimate(whole_world(RATES), resamples=10)
    assert {name: each.value for name, each in found.items()} == {
        name: pytest.approx(TRUTH) for name in ("ips", "snips", "dm", "dr")
    }
    assert found["ips"].mean_weight == pytest.approx(1)
    assert found["ips"].effective < len(whole_world(RATES).rewards)


def test_a_wrong_model_misleads_the_direct_method_but_not_the_doubly_robust_one() -> None:
    found = estimate(whole_world(np.full_like(RATES, 0.1)), resamples=10)
    assert found["dm"].value == pytest.approx(0.1)
    assert found["dr"].value == pytest.approx(TRUTH)


def test_wrong_propensities_mislead_ips_but_not_the_doubly_robust_estimator() -> None:
    log = whole_world(RATES)
    found = estimate(replace(log, propensities=np.full(len(log.rewards), 0.25)), resamples=10)
    assert abs(found["ips"].value - TRUTH) > 0.02
    assert found["dr"].value == pytest.approx(TRUTH)


def test_intervals_contain_the_value_as_often_as_they_state() -> None:
    rng = np.random.default_rng(3)
    worlds, held = 100, dict.fromkeys(("ips", "snips", "dr"), 0)
    widths = dict.fromkeys(held, 0.0)
    for _ in range(worlds):
        log = drawn_world(rng, 500, RATES + 0.05)
        for name, found in estimate(log, list(held), resamples=200).items():
            low, high = found.interval
            held[name] += low <= TRUTH <= high
            widths[name] += high - low
    assert all(88 <= number <= 100 for number in held.values()), held
    assert widths["dr"] < widths["snips"] < widths["ips"]


def test_the_value_of_a_feed_is_the_sum_over_its_slots() -> None:
    log = whole_world(RATES)
    requests = np.repeat(np.arange(len(log.rewards) // 4), 4)
    found = estimate(replace(log, requests=requests), ["ips", "snips", "dr"], resamples=10)
    assert all(each.value == pytest.approx(4 * TRUTH) for each in found.values())


def test_requests_are_resampled_as_a_whole() -> None:
    rewards = np.tile([1.0, 0.0], 50)
    log = LoggedFeedback(rewards, np.ones(100), np.ones(100), requests=np.arange(100) // 2)
    assert estimate(log, ["ips"])["ips"].interval == (1.0, 1.0)


def test_clipping_bounds_the_weights() -> None:
    log = whole_world(RATES)
    found = estimate(log, ["ips"], clip=1.0, resamples=10)["ips"]
    assert found.value < TRUTH and found.mean_weight < 1


def test_the_policy_that_was_served_has_the_mean_of_its_rewards() -> None:
    log = drawn_world(np.random.default_rng(0), 300, RATES)
    found = estimate(replace(log, target=log.propensities), ["ips", "snips"])
    assert found["ips"].value == pytest.approx(log.rewards.mean())
    assert found["snips"].value == pytest.approx(log.rewards.mean())


def test_refusals_state_the_remedy() -> None:
    ones = np.ones(2)
    with pytest.raises(DataError, match="cannot have been shown"):
        LoggedFeedback(ones, np.array([0.0, 1.0]), ones)
    with pytest.raises(DataError, match=r"in \[0, 1\]"):
        LoggedFeedback(ones, ones, 2 * ones)
    with pytest.raises(DataError, match="'target' must be"):
        LoggedFeedback(ones, ones, np.ones(3))
    with pytest.raises(DataError, match="'requests'"):
        LoggedFeedback(ones, ones, ones, requests=np.zeros(3, np.int64))
    log = LoggedFeedback(ones, ones, ones)
    with pytest.raises(InvalidRequestError, match="did you mean 'snips'"):
        estimate(log, ["snip"])
    with pytest.raises(InvalidRequestError, match="'dr' needs predicted rewards"):
        estimate(log, ["dr"])
    with pytest.raises(InvalidRequestError, match="clip must be above 0"):
        estimate(log, clip=0)
