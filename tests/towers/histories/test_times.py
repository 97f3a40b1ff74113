"""Times of histories, from the log to the query vectors."""

import numpy as np
import pytest

from recsys.errors import ConfigError, DataError
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.pipeline.scoring import batch_of
from recsys.splits import HeldOutQueries, LeaveLastOutConfig, split
from recsys.towers import HstuHistory, QueryBatch, TowersConfig, TrainConfig, fit, load_towers
from recsys.towers.histories.times import BUCKETS, buckets_of
from recsys.towers.training.batches import load_batches
from tests.towers.worlds import cycle

DAY = 86_400
QUICK, SLOW = np.array([0, 5]), np.array([0, 30 * DAY])


def quick_and_slow_users(users: int = 64) -> Interactions:
    """Interactions with 0, then 1; then 2 if those are seconds apart, or 3 if a month apart."""
    quick = np.arange(users) % 2 == 0
    items = np.column_stack([np.zeros(users), np.ones(users), np.where(quick, 2, 3)])
    when = np.column_stack(
        [np.zeros(users), np.where(quick, 5, 30 * DAY), np.full(users, 31 * DAY)]
    )
    return Interactions.of(
        IdMap.of("user", [f"u{row}" for row in range(users)]),
        IdMap.of("item", ["a", "b", "quick", "slow"]),
        user=np.repeat(np.arange(users), 3),
        item=items.astype(int).ravel(),
        time=(when.astype(np.int64) + 1_500_000_000).ravel(),
    )


def fit_towers(folder, log, history):
    return fit(
        log, (), np.zeros((1, 0), np.float32), folder=folder, validate=lambda towers: 0.0,
        towers=TowersConfig(dimension=8, history=history, id_dropout=0, terms="none"),
        train=TrainConfig(
            batch_positions=256, learning_rate=0.03, epochs=25, validate_every=25, warmup_steps=4
        ),
    ).towers  # fmt: skip


@pytest.fixture(scope="module")
def towers(tmp_path_factory):
    history = HstuHistory(window=2, blocks=1, dropout=0, time_bias="log-buckets")
    return fit_towers(tmp_path_factory.mktemp("run"), quick_and_slow_users(), history)


def batch_at(*times) -> QueryBatch:
    """Batch of one history at several times, in seconds since a fixed date."""
    history = np.array([0, 1], np.int32)
    return QueryBatch.of([history] * len(times), times=[1_700_000_000 + each for each in times])


def test_targets_that_depend_on_elapsed_time_are_learned(towers):
    scores = towers.encode(batch_at(QUICK, SLOW, QUICK + 7)) @ towers.item_vectors.T
    assert scores[:, 2:].argmax(axis=1).tolist() == [0, 1, 0]


def test_queries_without_times_are_encoded_by_positions_alone(towers):
    bare = towers.encode(QueryBatch.of([np.array([0, 1], np.int32)]))
    known = batch_at(QUICK, SLOW)
    hidden = QueryBatch.of(known.histories, times=known.times, times_known=np.array([False, True]))
    vectors = towers.encode(hidden)
    np.testing.assert_allclose(vectors[:1], bare, atol=1e-6)
    np.testing.assert_allclose(vectors[1], towers.encode(known)[1], atol=1e-6)
    assert np.abs(vectors[1] - bare).max() > 1e-2


def test_batching_and_reloading_do_not_change_vectors(towers, tmp_path):
    batch = batch_at(QUICK, SLOW)
    towers.save(tmp_path)
    again = load_towers(tmp_path)
    for at in range(2):
        alone = again.encode(batch.slice(at, at + 1))
        np.testing.assert_allclose(alone[0], towers.encode(batch)[at], atol=1e-6)


def test_only_the_times_of_the_last_window_are_read(towers):
    long = QueryBatch.of(
        [np.array([3, 2, 0, 1], np.int32)], times=[np.array([0, 9, 100 * DAY, 100 * DAY + 5])]
    )
    np.testing.assert_allclose(towers.encode(long), towers.encode(batch_at(QUICK)), atol=1e-6)


def test_a_log_without_timestamps_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="time_bias 'log-buckets' needs timestamps") as refused:
        fit_towers(tmp_path, cycle(), HstuHistory(time_bias="log-buckets"))
    assert refused.value.field == "towers.history.time_bias"


def test_known_times_must_be_one_per_item():
    history = [np.array([1, 2], np.int32)]
    with pytest.raises(DataError, match="query 0 has 2 items in its history and 1 times"):
        QueryBatch.of(history, times=[np.array([5])])
    with pytest.raises(DataError, match="the times of query 0 must be whole seconds"):
        QueryBatch.of(history, times=[np.array([5.5, np.nan])])
    with pytest.raises(DataError, match="'times' must hold one value per query: 1; got 2"):
        QueryBatch.of(history, times=[np.array([5, 6])] * 2)
    QueryBatch.of(history, times=[np.array([5])], times_known=np.array([False]))


def test_batches_of_held_out_queries_hold_the_times_of_histories():
    parts = split(quick_and_slow_users(4), LeaveLastOutConfig())
    batch = batch_of(parts.test.take(np.array([True, False, True, True])), known=np.ones(4, bool))
    since = [(each - each[0]).tolist() for each in batch.times]
    assert since == [QUICK.tolist(), QUICK.tolist(), SLOW.tolist()]
    untimed = split(cycle(length=6), LeaveLastOutConfig()).test
    assert batch_of(untimed, known=np.ones(24, bool)).times is None
    assert HeldOutQueries.of(user=[0], histories=[[1]], targets=[[2]]).times() is None


def test_batches_hold_seconds_since_the_first_item_of_their_window():
    (batch,) = load_batches(
        quick_and_slow_users(2), [np.array([[1, 3], [3, 4]])], seed=0, epoch=0, times=True
    )
    assert batch["seconds"].tolist() == [[0, 31 * DAY - 5], [0, 0]]


def test_buckets_grow_with_the_logarithm_of_elapsed_seconds():
    seconds = np.array([[0, 2, 6, 200 * 366 * DAY]], np.float32)
    buckets = buckets_of(seconds).numpy()[0]
    assert buckets.shape == (5, 5)
    assert buckets[1].tolist() == [0] * 5  # later items have an elapsed time of 0
    assert buckets[3].tolist() == [5, 5, 4, 0, 0]  # 2 log2(7) = 5.6, 2 log2(5) = 4.6
    assert buckets[4].tolist() == [BUCKETS - 1] * 4 + [0]
