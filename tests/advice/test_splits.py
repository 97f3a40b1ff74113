"""The advice of each error of a split is followed, and the log is then split."""

from __future__ import annotations

from typing import Any

import pytest

from recsys.config import parse_config
from recsys.errors import ConfigError, DataError
from recsys.pipeline import RunConfig
from recsys.pipeline.training import check_validation
from recsys.splits import Split, split
from tests.splits.logs import log

SHOP = {"name": "shop", "data": {"interactions": {"format": "csv", "path": "log.csv"}}}
DAYS = {user: [(item, 100 + 10 * at) for at, item in enumerate("abcdefgh")] for user in "xyz"}
TWICE = {user: [(item, at) for item, at in DAYS[user] for _ in range(2)] for user in DAYS}
AGAIN = {"x": [("a", 1), ("b", 2), ("c", 3), ("c", 4), ("d", 5)]}
SECOND = {user: [("a", 1), ("b", 2), *((item, 3) for item in "cdefgh")] for user in "xyz"}
PAIRS = {
    user: [(item, 10 * at) for item in "abcdefgh"[at:][:2]] for at, user in enumerate("xyzuvw")
}

# A log, a split that it does not fit, the change of the split, and its words in the message.
ROWS: list[tuple[Any, dict[str, Any], dict[str, Any], list[str]]] = [
    (
        log(TWICE),
        {"protocol": "leave-last-out"},
        {"repeats": "keep-last"},
        ["3 test targets were left out", "split.repeats = 'keep-last'"],
    ),
    (
        log(AGAIN),
        {"protocol": "leave-last-out"},
        {"repeats": "keep-last"},
        ["no validation query", "1 validation targets", "split.repeats = 'keep-last'"],
    ),
    (log(DAYS, clock="position"), {}, {"protocol": "leave-last-out"}, ["'leave-last-out'"]),
    (log(PAIRS), {"protocol": "leave-last-out"}, {"protocol": "global-time"}, ["'global-time'"]),
    (
        log(PAIRS, clock="position"),
        {"protocol": "leave-last-out"},
        {"protocol": "cold-items", "share": 0.67, "min_history": 0},
        ["'cold-items'"],
    ),
    (
        log(DAYS),
        {"validation_from": "2030-01-01", "test_from": "2031-01-01"},
        {"validation_from": 0.8, "test_from": 0.9},
        ["from 1970-01-01T00:01:40", "to 1970-01-01T00:02:50", "the quantiles 0.8 and 0.9"],
    ),
    (
        log(DAYS),
        {"validation_from": "1970-01-01T00:02:05", "test_from": "1970-01-01T00:02:08"},
        {"validation_from": "1970-01-01T00:01:50"},
        ["no validation query", "set split.validation_from earlier"],
    ),
    (log(SECOND), {}, {"validation_from": 0.2}, ["set split.validation_from earlier"]),
    (log(SECOND), {}, {"protocol": "leave-last-out"}, ["'leave-last-out'"]),
    (
        log(DAYS),
        {"min_history": 20},
        {"min_history": 0},
        ["split.min_history; lower it, at most to 0"],
    ),
    (log(DAYS), {"protocol": "cold-items", "share": 0.1}, {"share": 0.25}, ["set it to 0.25"]),
    (log(DAYS), {"protocol": "cold-items", "share": 0.99}, {"share": 0.25}, ["set it to 0.25"]),
]


def _split(interactions: Any, section: dict[str, Any]) -> Split:
    section = {"protocol": "global-time", **section}
    parts = split(interactions, parse_config({**SHOP, "split": section}, RunConfig).split)
    check_validation(parts)
    return parts


@pytest.mark.parametrize(("interactions", "given", "change", "words"), ROWS)
def test_the_advice_is_followed(
    interactions: Any, given: dict[str, Any], change: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises((ConfigError, DataError)) as raised:
        _split(interactions, given)
    for each in words:
        assert each in raised.value.message
    if "protocol" in change:
        given = {}
    parts = _split(interactions, {**given, **change})
    assert len(parts.train) and len(parts.test)
