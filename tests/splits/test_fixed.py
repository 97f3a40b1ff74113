"""The publisher's own parts."""

from __future__ import annotations

import pytest

from recsys.config import parse_config
from recsys.errors import ConfigError, DataError
from recsys.ids import IdMap
from recsys.splits import FixedConfig, split, split_fixed
from tests.splits.logs import lines, log, read

USERS = ["ann", "bob"]
TRAIN = {"ann": [("a", 0), ("b", 1)], "bob": [("c", 0), ("d", 1)]}
VALID = {"ann": [("c", 0)]}
TEST = {"ann": [("e", 0), ("f", 1)], "bob": [("a", 0)]}


def part(content: dict[str, list[tuple[str, int]]], clock: str = "position"):
    return log(content, users=USERS, clock=clock)


def test_fixed_gives_one_query_per_user_with_all_targets() -> None:
    train = part(TRAIN)
    parts = split_fixed(train, part(TEST), validation=part(VALID))
    assert lines(parts.train) == {"ann": "ab", "bob": "cd"}
    assert read(parts.validation, train) == [("ann", "ab", "c")]
    # Positions start again in each file; the validation item still comes after the training items.
    assert read(parts.test, train) == [("ann", "abc", "ef"), ("bob", "cd", "a")]
    assert parts.protocol["validation"] == "given"


def test_fixed_without_validation_can_draw_one_from_training() -> None:
    train = part({"ann": [(item, at) for at, item in enumerate("abcd")], "bob": [("e", 0)]})
    test = part({"ann": [("f", 0)], "bob": [("g", 0)]})
    none = split_fixed(train, test)
    assert len(none.validation) == 0 and len(none.train) == 5
    drawn = split_fixed(train, test, config=FixedConfig(validation_share=0.5, seed=1))
    assert drawn.protocol["validation"] == "drawn"
    assert len(drawn.train) == 3 and len(drawn.validation.target_rows) == 2  # 0.5 of bob's 1 is 0
    assert read(drawn.test, train)[0][1] == "abcd"  # what the test remembers keeps its order


def test_validation_may_be_the_end_of_each_users_training() -> None:
    train = part({"ann": [(item, at) for at, item in enumerate("abcde")], "bob": [("e", 0)]})
    config = FixedConfig(validation_share=0.5, validation_from="end")
    parts = split_fixed(train, part({"ann": [("f", 0)]}), config=config)
    assert lines(parts.train) == {"ann": "abc", "bob": "e"}
    assert read(parts.validation, train) == [("ann", "abc", "de")]
    assert read(parts.test, train) == [("ann", "abcde", "f")]


def test_a_random_validation_part_is_spread_among_training() -> None:
    train = part({"ann": [(item, at) for at, item in enumerate("abcd")], "bob": [("a", 0)]})
    valid = part({"ann": [("g", 0), ("h", 1)], "bob": [("c", 0), ("b", 1), ("d", 2)]})
    test = part({"ann": [("f", 0)], "bob": [("h", 0)]})
    parts = split_fixed(
        train, test, validation=valid, config=FixedConfig(validation_position="among")
    )
    assert lines(parts.train) == {"ann": "abcd", "bob": "a"}
    assert [history for _, history, _ in read(parts.test, train)] == ["agbchd", "cabd"]


def test_a_validation_part_and_a_share_of_training_for_one_are_refused() -> None:
    with pytest.raises(DataError, match="validation_share .* and one is: leave it out"):
        config = FixedConfig(validation_share=0.5)
        split_fixed(part(TRAIN), part(TEST), validation=part(VALID), config=config)


def test_a_position_of_validation_is_refused_with_times() -> None:
    parts = [part(content, "timestamp") for content in (TRAIN, TEST, VALID)]
    with pytest.raises(DataError, match="leave it out"):
        split_fixed(
            *parts[:2], validation=parts[2], config=FixedConfig(validation_position="among")
        )


def test_fixed_drops_targets_seen_before_and_counts_a_target_once() -> None:
    train = part(TRAIN)
    test = part({"ann": [("a", 0), ("e", 1), ("e", 2)], "bob": [("c", 0)]})
    parts = split_fixed(train, test)
    assert read(parts.test, train) == [("ann", "ab", "e")]
    assert parts.protocol["removed"]["test_repeats"] == 2


def test_fixed_reads_the_parts_from_a_context_column() -> None:
    rows = [("a", 0), ("b", 1), ("c", 2), ("d", 3)]
    names = IdMap.of("part", ["train", "valid", "test"])
    interactions = log({"ann": rows}, context={"part": names}, context_rows={"part": [0, 0, 1, 2]})
    parts = split(interactions, FixedConfig())
    assert read(parts.test, interactions) == [("ann", "abc", "d")]
    assert parts.train.context == {} and parts.test.context_rows == {}


def test_fixed_refuses_an_invalid_column() -> None:
    with pytest.raises(DataError, match="needs the context column 'part'.*context columns: none"):
        split(log(TRAIN), FixedConfig())
    names = IdMap.of("part", ["train", "dev"])
    interactions = log(
        {"ann": [("a", 0), ("b", 1)]}, context={"part": names}, context_rows={"part": [0, 1]}
    )
    with pytest.raises(DataError, match="holds 'dev'; expected train, validation or test"):
        split(interactions, FixedConfig())


def test_parts_with_other_ids_are_refused() -> None:
    with pytest.raises(DataError, match="share one user and one item id map"):
        split_fixed(part(TRAIN), log(TEST, users=USERS, items="hgfedcba"))


def test_the_end_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="set validation_share"):
        parse_config({"validation_from": "end"}, FixedConfig)
