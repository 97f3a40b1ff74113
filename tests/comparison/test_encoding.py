"""How encoders are timed."""

from __future__ import annotations

import time

import numpy as np
import pytest

from recsys.comparison.config import VariantConfig
from recsys.comparison.encoding import WARM_UP, asked_by, seconds_per_1000
from recsys.config import parse_config
from recsys.encoders import Encoded
from recsys.errors import DataError


class Slow:
    """Takes two milliseconds a content, and half a second when it is first used."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def encode(self, contents) -> Encoded:
        time.sleep(0.002 * len(contents) + (0 if self.calls else 0.5))
        self.calls.append(list(contents))
        return Encoded.of(np.ones((len(contents), 2), np.float32))


def test_seconds_are_of_encoding_alone_and_never_of_the_first_use() -> None:
    encoder = Slow()
    texts = [f"text {n}" if n % 2 else "" for n in range(200)]
    seconds = seconds_per_1000(encoder, texts, timed=50)
    assert 1.9 < seconds < 10
    first, timed = encoder.calls
    assert len(first) == WARM_UP and len(timed) == 50
    assert timed[0] == "text 1" and timed[-1] == "text 199" and "" not in timed


def test_nothing_to_encode_is_said() -> None:
    with pytest.raises(DataError, match="no item has a content of this kind"):
        seconds_per_1000(Slow(), ["", "", ""], timed=5)


def test_equal_encoders_share_a_stage_and_others_do_not() -> None:
    def name(**row) -> str:
        asked = parse_config({"label": "x", **row}, VariantConfig)
        return asked_by(asked, text=("title", "plot"), timed=10)[0].stage_name

    words = {"name": "word2vec"}
    assert name(text=words) == name(text={**words, "window": 8}, label="other")
    assert name(text=words) != name(text={**words, "window": 5})
    assert name(text=words) != name(text=words, reads=["title"])
