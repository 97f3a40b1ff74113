"""The advice of towers that do not fit their data is followed, and the data are then read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recsys.config import parse_config
from recsys.errors import RecsysError
from recsys.features import FeatureBlock
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.towers.config import TowersConfig
from recsys.towers.training.data import TrainingData
from tests.towers.worlds import cycle


def _with_context(log: Interactions) -> Interactions:
    rows = np.zeros(len(log), np.int32)
    return replace(
        log, context={"device": IdMap.of("device", ["phone"])}, context_rows={"device": rows}
    )


LOG = _with_context(cycle())
TIMED = replace(LOG, clock="timestamp")
TEXT = FeatureBlock(np.ones((8, 6), np.float32), np.ones(8, np.bool_), "text")
BUCKETS = {"name": "hstu", "time_bias": "log-buckets"}

# A configuration of towers, the change that the message advises, and its words in the message.
ROWS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"blocks": ["txt"]}, {"blocks": ["text"]}, "did you mean 'text'?"),
    ({"blocks": ["text", "text"]}, {"blocks": ["text"]}, "name each once"),
    ({"context": ["devise"]}, {"context": ["device"]}, "did you mean 'device'?"),
    ({"context": ["weather"]}, {"context": []}, "or leave it out"),
    (
        {"history": {"name": "none"}, "user_id": "none", "terms": "none"},
        {"user_id": "embedding"},
        "set towers.user_id = 'embedding'",
    ),
    (
        {"history": {"name": "none"}, "user_id": "none", "terms": "none"},
        {"context": ["device"]},
        "or name towers.context",
    ),
    (
        {"dimension": 10, "history": {"name": "transformer", "heads": 4}},
        {"dimension": 12},
        "must be a multiple of towers.history.heads 4",
    ),
    (
        {"history": BUCKETS},
        {"history": {**BUCKETS, "time_bias": "none"}},
        "set towers.history.time_bias = 'none'",
    ),
    ({"initial": "identity", "dimension": 4}, {"dimension": 6}, "raise it to 6"),
    ({"initial": "identity", "dimension": 4}, {"initial": "random"}, "or take 'random'"),
]


@pytest.mark.parametrize(("given", "change", "words"), ROWS)
def test_the_advice_is_followed(given: dict[str, Any], change: dict[str, Any], words: str) -> None:
    data = TrainingData(LOG, [TEXT], np.zeros((1, 0), np.float32))
    with pytest.raises(RecsysError) as raised:
        data.read_by(parse_config(given, TowersConfig))
    assert words in raised.value.message
    data.read_by(parse_config({**given, **change}, TowersConfig))


def test_times_are_given() -> None:
    towers = parse_config({"history": BUCKETS}, TowersConfig)
    TrainingData(TIMED, [TEXT], np.zeros((1, 0), np.float32)).read_by(towers)
