"""Each protocol on logs small enough to split by hand."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.config import Config, parse_config
from recsys.errors import ConfigError, DataError
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.splits import (
    ColdItemsConfig,
    GlobalTimeConfig,
    LeaveLastOutConfig,
    SplitConfig,
    split,
)
from tests.splits.logs import lines, log, read

LOG = {
    "ann": [("a", 10), ("b", 20), ("c", 30), ("d", 40)],
    "bob": [("e", 15), ("a", 25)],
    "cid": [("f", 12), ("g", 22), ("b", 32)],
}


def test_leave_last_out_holds_the_last_two_of_users_with_three_or_more() -> None:
    interactions = log(LOG)
    parts = split(interactions, LeaveLastOutConfig())
    assert lines(parts.train) == {"ann": "ab", "bob": "ea", "cid": "f"}
    assert read(parts.validation, interactions) == [("ann", "ab", "c"), ("cid", "f", "g")]
    assert read(parts.test, interactions) == [("ann", "abc", "d"), ("cid", "fg", "b")]
    assert parts.protocol["users_too_short_to_test"] == 1
    assert parts.protocol["cold_test_targets"] == 1  # d; ann has b in training
    assert parts.candidates.all()
    assert "".join(interactions.items.ids(np.flatnonzero(parts.warm).astype(np.int32))) == "abef"


def test_leave_last_out_keeps_the_order_of_the_log_among_equal_times() -> None:
    interactions = log({"ann": [("a", 1), ("d", 5), ("c", 5), ("b", 5)]})
    assert read(split(interactions, LeaveLastOutConfig()).test, interactions) == [
        ("ann", "adc", "b")
    ]


def test_global_time_gives_one_query_per_interaction_with_all_earlier_ones() -> None:
    interactions = log(LOG)
    parts = split(interactions, GlobalTimeConfig(validation_from=22, test_from=30))
    assert lines(parts.train) == {"ann": "ab", "bob": "e", "cid": "f"}
    assert read(parts.validation, interactions) == [("bob", "e", "a"), ("cid", "f", "g")]
    assert read(parts.test, interactions) == [
        ("ann", "ab", "c"),
        ("ann", "abc", "d"),  # the held-out c is history by then
        ("cid", "fg", "b"),
    ]
    assert parts.protocol["validation_from"] == "1970-01-01T00:00:22+00:00"


def test_global_time_puts_nothing_of_the_same_second_into_a_history() -> None:
    interactions = log({"ann": [("a", 1), ("b", 9), ("c", 9), ("d", 9), ("e", 11)]})
    parts = split(interactions, GlobalTimeConfig(validation_from=9, test_from=11))
    assert read(parts.validation, interactions) == [
        ("ann", "a", "b"),
        ("ann", "a", "c"),
        ("ann", "a", "d"),
    ]
    assert read(parts.test, interactions) == [("ann", "abcd", "e")]


def test_global_time_does_not_confuse_two_users_at_the_same_second() -> None:
    interactions = log({"ann": [("a", 1), ("b", 9)], "bob": [("c", 9), ("d", 10)]})
    parts = split(interactions, GlobalTimeConfig(validation_from=9, test_from=10))
    assert read(parts.validation, interactions) == [("ann", "a", "b"), ("bob", "", "c")]
    assert read(parts.test, interactions) == [("bob", "c", "d")]


def test_global_time_keeps_or_leaves_out_users_without_a_history() -> None:
    interactions = log({"ann": [("a", 1), ("b", 5)], "new": [("c", 9), ("d", 10)]})
    times = {"validation_from": 4, "test_from": 8}
    every = split(interactions, GlobalTimeConfig(**times))
    assert read(every.test, interactions) == [("new", "", "c"), ("new", "c", "d")]
    longer = split(interactions, GlobalTimeConfig(**times, min_history=1))
    assert read(longer.test, interactions) == [("new", "c", "d")]
    assert longer.protocol["removed"]["test_short_histories"] == 1


@pytest.mark.parametrize(
    "validation, test", [(0.5, 0.8), ("1970-01-01T00:00:05Z", "1970-01-01 00:00:08")]
)
def test_global_time_takes_quantiles_and_iso_moments(validation: object, test: object) -> None:
    interactions = log(
        {"ann": [(item, time) for time, item in enumerate("abcdefghij")]}, items="abcdefghij"
    )
    parts = split(interactions, GlobalTimeConfig(validation_from=validation, test_from=test))
    assert lines(parts.train) == {"ann": "abcde"}
    assert [target for _, _, target in read(parts.test, interactions)] == ["i", "j"]


def test_global_time_refuses_a_log_of_positions() -> None:
    with pytest.raises(DataError, match="needs timestamps.*leave-last-out"):
        split(log(LOG, clock="position"), GlobalTimeConfig())


def test_a_split_without_test_queries_is_refused_with_its_counts() -> None:
    with pytest.raises(DataError, match="9 interactions to train on and 0 test queries"):
        split(log(LOG), GlobalTimeConfig(validation_from=1000, test_from=2000))


def test_cold_items_are_withheld_and_are_the_targets() -> None:
    interactions = log(LOG)
    parts = split(interactions, ColdItemsConfig(share=0.3, seed=3, min_history=0))
    cold = set(interactions.items.ids(np.flatnonzero(~parts.warm).astype(np.int32)))
    found = [read(part, interactions) for part in (parts.validation, parts.test)]
    targets = [{target for _, _, target in queries} for queries in found]
    assert targets[0] and targets[1] and not targets[0] & targets[1]
    assert targets[0] | targets[1] <= cold
    train = lines(parts.train)
    for user, history in LOG.items():
        assert train.get(user, "") == "".join(item for item, _ in history if item not in cold)
    for user, history, target in found[0] + found[1]:
        before = [item for item, time in LOG[user] if time < dict(LOG[user])[target]]
        assert history == "".join(item for item in before if item not in cold)
    assert parts.protocol["withheld_items"] == 2  # 0.3 of the 7 items of the log


def test_cold_items_may_add_each_users_last_warm_items() -> None:
    histories = {
        f"user{i}": [(item, time) for time, item in enumerate("abcdefgh")] for i in range(2)
    }
    interactions = log({**histories, "few": [("a", 1), ("b", 2)]})
    config = ColdItemsConfig(share=0.25, warm="last", min_history=0)
    parts = split(interactions, config)
    without = split(interactions, ColdItemsConfig(share=0.25, min_history=0))
    kept = "".join(item for item in "abcdefgh" if item in lines(without.train)["user0"])
    assert len(kept) == 6
    *learned, before_last, last = kept
    assert lines(parts.train)["user0"] == "".join(learned)
    assert lines(parts.train).get("few", "") == lines(without.train).get("few", "")
    found = {target: history for _, history, target in read(parts.test, interactions)}
    assert found[last] == "".join(learned) + before_last
    cold = next(item for item in found if item != last)
    assert found[cold] == "".join(item for item in kept if item < cold)
    found = {target: history for _, history, target in read(parts.validation, interactions)}
    assert found[before_last] == "".join(learned)
    cold = next(item for item in found if item != before_last)
    assert found[cold] == "".join(item for item in learned if item < cold)


def test_cold_items_refuses_a_share_that_withholds_too_little() -> None:
    with pytest.raises(DataError, match="withholds .*at least 2 must be withheld"):
        split(log(LOG), ColdItemsConfig(share=0.1))


def test_repeats_are_dropped_and_counted_or_kept() -> None:
    interactions = log({"ann": [("a", 1), ("b", 2), ("c", 3), ("a", 4)], "bob": LOG["cid"]})
    dropped = split(interactions, LeaveLastOutConfig())
    assert read(dropped.test, interactions) == [("bob", "fg", "b")]
    assert dropped.protocol["removed"]["test_repeats"] == 1
    kept = split(interactions, LeaveLastOutConfig(repeats="keep"))
    assert read(kept.test, interactions)[0] == ("ann", "abc", "a")


def test_candidates_are_the_catalogue_or_the_items_of_the_log() -> None:
    interactions = log(LOG)  # h has no interaction
    assert split(interactions, LeaveLastOutConfig()).candidates.tolist() == [True] * 8
    histories = split(interactions, LeaveLastOutConfig(candidates="log"))
    assert histories.candidates.tolist() == [True] * 7 + [False]
    assert histories.protocol["ranked"].startswith("all 7 items of the log")


def test_validation_is_sampled_by_seed_and_the_test_is_not() -> None:
    interactions = log({f"user{i}": LOG["ann"] for i in range(20)})
    first, again, other = (
        split(interactions, LeaveLastOutConfig(validation_sample=5, seed=seed))
        for seed in (1, 1, 2)
    )
    assert len(first.validation) == 5 and len(first.test) == 20
    assert first.validation.user.tolist() == again.validation.user.tolist()
    assert first.validation.user.tolist() != other.validation.user.tolist()
    assert first.protocol["validation_queries_before_sampling"] == 20


def test_queries_have_terms_and_context_of_the_target() -> None:
    devices = IdMap.of("device", ["phone", "desk"])
    interactions = log(
        {"ann": [("a", 1), ("b", 2), ("c", 3)]},
        phrases=("", "red lamp"),
        terms=[0, 0, 1],
        context={"device": devices},
        context_rows={"device": [0, 1, 0]},
    )
    parts = split(interactions, LeaveLastOutConfig())
    assert [parts.test.phrases[row] for row in parts.test.terms] == ["red lamp"]
    assert devices.ids(parts.test.context_rows["device"]) == ["phone"]
    assert devices.ids(parts.validation.context_rows["device"]) == ["desk"]
    assert parts.test.time.tolist() == [3]


class _Section(Config):
    split: SplitConfig


@pytest.mark.parametrize(
    "values, message",
    [
        ({"protocol": "leave-last-two"}, "leave-last-out"),
        ({"protocol": "global-time", "validation_from": 1.5}, "quantile"),
        ({"protocol": "global-time", "validation_from": "soon"}, "soon"),
        ({"protocol": "global-time", "validation_from": 20, "test_from": 10}, "must lie before"),
        ({"protocol": "global-time", "validation_from": 20}, "both be quantiles, such as"),
        (
            {"protocol": "global-time", "validation_from": 1, "test_from": 1_704_067_200_123},
            "seconds since 1970, of the years 1 to 9999",
        ),
        ({"protocol": "cold-items", "share": 1.0}, "less than 1"),
        ({"protocol": "cold-items", "shared": 0.1}, "did you mean 'share'"),
    ],
)
def test_a_bad_configuration_is_explained(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config({"split": values}, _Section)


def test_no_held_out_interaction_is_lost_or_in_training() -> None:
    rng = np.random.default_rng(0)
    users, items = (
        IdMap.of(kind, [str(i) for i in range(n)]) for kind, n in (("user", 40), ("item", 30))
    )
    interactions = Interactions.of(
        users,
        items,
        user=rng.integers(0, 40, 500),
        item=rng.integers(0, 30, 500),
        time=rng.integers(0, 60, 500),
    )
    for config in (
        LeaveLastOutConfig(repeats="keep"),
        GlobalTimeConfig(repeats="keep"),
        ColdItemsConfig(repeats="keep", min_history=0),
    ):
        parts = split(interactions, config)
        counts = np.zeros(30, np.int64)
        for rows in (parts.train.item, parts.validation.target_rows, parts.test.target_rows):
            counts += np.bincount(rows, minlength=30)
        assert counts.tolist() == interactions.item_counts.tolist(), config.protocol
