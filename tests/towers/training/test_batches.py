import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.towers.training.batches import (
    cut_windows,
    group_windows,
    load_batches,
    training_batches,
)


def log_of(lengths: list[int]) -> Interactions:
    user = np.repeat(np.arange(len(lengths)), lengths)
    item = np.arange(len(user))
    return Interactions.of(
        IdMap.of("user", [f"u{row}" for row in range(len(lengths))]),
        IdMap.of("item", [f"i{row}" for row in range(max(len(item), 1))]),
        user=user,
        item=item,
        time=item,
    )


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=12),
    st.integers(1, 15),
    st.integers(0, 9),
)
def test_windows_cover_every_interaction_once_and_one_user_each(lengths, length, seed):
    log = log_of(lengths)
    spans = cut_windows(log, length, np.random.default_rng(seed))
    covered = [position for start, stop in spans for position in range(start, stop)]
    assert sorted(covered) == list(range(len(log)))
    assert all(0 < stop - start <= length for start, stop in spans)
    assert all(len(set(log.user[start:stop])) == 1 for start, stop in spans)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(40, 90))
def test_groups_respect_the_limit_of_positions_and_lose_no_window(lengths, positions):
    stops = np.cumsum(lengths)
    spans = np.stack([stops - lengths, stops], axis=1)
    groups = group_windows(spans, positions, np.random.default_rng(0))
    assert sorted(map(tuple, np.concatenate(groups))) == sorted(map(tuple, spans))
    assert all(len(group) * (group[:, 1] - group[:, 0]).max() <= positions for group in groups)


def test_the_order_depends_on_seed_and_epoch():
    log = log_of([7, 30, 2, 9])

    def order(seed: int, epoch: int) -> list[list[list[int]]]:
        groups = training_batches(log, window=5, positions=12, seed=seed, epoch=epoch)
        return [group.tolist() for group in groups]

    assert order(1, 1) == order(1, 1)
    assert order(1, 1) != order(1, 2)
    assert order(1, 1) != order(2, 1)


def test_padding_has_weight_zero():
    log = log_of([3, 1])
    (batch,) = load_batches(log, [np.array([[0, 3], [3, 4]])], seed=0, epoch=0)
    assert batch["item"].tolist() == [[0, 1, 2], [3, 0, 0]]
    assert batch["weight"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["user"].tolist() == [0, 1]


def test_weights_have_the_mean_1_over_the_log_and_not_in_each_batch():
    log = log_of([3, 3])
    weighted = Interactions.of(
        log.users, log.items, user=log.user, item=log.item, time=log.time,
        weight=[0.1, 0.1, 0.1, 1, 1, 0.1],
    )  # fmt: skip
    batches = load_batches(weighted, [np.array([[0, 3]]), np.array([[3, 6]])], seed=0, epoch=0)
    weights = np.concatenate([batch["weight"] for batch in batches])
    assert weights.mean() == pytest.approx(1)
    np.testing.assert_allclose(weights / weights[0, 0], [[1, 1, 1], [10, 10, 1]], rtol=1e-6)


@pytest.mark.parametrize("weight", [1, 3, 0.1])
def test_equal_weights_are_those_of_an_unweighted_log_to_the_last_bit(weight):
    log = log_of([4, 2, 7])
    weighted = Interactions.of(
        log.users, log.items, user=log.user, item=log.item, time=log.time,
        weight=np.full(len(log), weight),
    )  # fmt: skip
    groups = training_batches(log, window=3, positions=8, seed=0, epoch=0)
    loaded = (load_batches(each, groups, seed=0, epoch=0) for each in (log, weighted))
    for one, other in zip(*loaded):
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize("lengths", [[0], [0, 0, 0]])
def test_no_interactions_give_no_windows(lengths):
    assert len(cut_windows(log_of(lengths), 5, np.random.default_rng(0))) == 0
