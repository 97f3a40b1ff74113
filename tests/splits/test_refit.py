"""The final interactions: training, or training and validation together; never the test."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.ids import IdMap
from recsys.splits import (
    ColdItemsConfig,
    FixedConfig,
    GlobalTimeConfig,
    LeaveLastOutConfig,
    SplitConfig,
    split,
    split_fixed,
)
from tests.splits.logs import lines, log

LOG = {
    "ann": [("a", 10), ("b", 20), ("c", 30), ("d", 40)],
    "bob": [("e", 15), ("a", 25)],
    "cid": [("f", 12), ("g", 22), ("b", 32)],
}
BOTH = {"refit": "train-and-validation"}


@pytest.mark.parametrize(
    ("config", "train", "final"),
    [
        (
            LeaveLastOutConfig(**BOTH),
            {"ann": "ab", "bob": "ea", "cid": "f"},
            {"ann": "abc", "bob": "ea", "cid": "fg"},
        ),
        (
            GlobalTimeConfig(validation_from=22, test_from=30, **BOTH),
            {"ann": "ab", "bob": "e", "cid": "f"},
            {"ann": "ab", "bob": "ea", "cid": "fg"},
        ),
    ],
    ids=lambda value: getattr(value, "protocol", ""),
)
def test_refit_adds_the_validation_part(
    config: SplitConfig, train: dict[str, str], final: dict[str, str]
) -> None:
    parts = split(log(LOG), config)
    assert lines(parts.train) == train and lines(parts.final) == final
    assert parts.protocol["final_interactions"] == sum(map(len, final.values()))
    without = split(log(LOG), config.model_copy(update={"refit": "none"}))
    assert without.final is without.train and lines(without.train) == train


def test_refit_adds_the_items_withheld_for_validation_and_none_of_the_test() -> None:
    rng = np.random.default_rng(0)
    histories = {
        f"u{at}": [(item, at) for item in rng.permutation(list("abcdefgh"))] for at in range(9)
    }
    parts = split(log(histories), ColdItemsConfig(share=0.5, warm="last", **BOTH))
    added = set(parts.final.item) - set(parts.train.item)
    assert added == set(parts.validation.target_rows[~parts.warm[parts.validation.target_rows]])
    cold = parts.test.target_rows[~parts.final.warm[parts.test.target_rows]]
    assert len(set(cold)) == 2 and parts.protocol["cold_test_targets"] == len(cold)
    pairs = {(user, item) for user, item in zip(parts.final.user, parts.final.item)}
    for query in range(len(parts.test)):
        for item in parts.test.targets(query):
            assert (parts.test.user[query], item) not in pairs


def test_refit_joins_the_publishers_files() -> None:
    part, rows = IdMap.of("part", ["train", "valid", "test"]), [0, 0, 1, 2]
    histories = {"ann": [("a", 0), ("b", 1), ("c", 2), ("d", 3)]}
    given = log(histories, context={"part": part}, context_rows={"part": rows})
    assert lines(split(given, FixedConfig(**BOTH)).final) == {"ann": "abc"}

    train = log({"ann": [(item, at) for at, item in enumerate("abcd")]})
    drawn = split_fixed(
        train,
        log({"ann": [("f", 0)]}),
        config=FixedConfig(validation_share=0.5, **BOTH),
    )
    assert len(drawn.train) == 2 and sorted(lines(drawn.final)["ann"]) == list("abcd")
