"""Timing of encoders, and stages shared by equal encoders."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from recsys.catalogue import CatalogueFields
from recsys.comparison import encoding
from recsys.comparison.config import VariantConfig, VariantEvaluationConfig
from recsys.comparison.encoding import WARM_UP, encoding_requests, seconds_per_1000
from recsys.config import parse_config
from recsys.encoders import Encoded
from recsys.errors import DataError


class Slow:
    """Takes two milliseconds per content, and half a second on first use, by its own clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[list[str]] = []

    def encode(self, contents) -> Encoded:
        self.now += 0.002 * len(contents) + (0 if self.calls else 0.5)
        self.calls.append(list(contents))
        return Encoded.of(np.ones((len(contents), 2), np.float32))


def test_the_first_use_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = Slow()
    monkeypatch.setattr(encoding.time, "perf_counter", lambda: encoder.now)
    texts = [f"text {n}" if n % 2 else "" for n in range(200)]
    seconds = seconds_per_1000(encoder, texts, sample_size=50)
    assert seconds == pytest.approx(2)
    first, timed = encoder.calls
    assert len(first) == WARM_UP and len(timed) == 50
    assert timed[0] == "text 1" and timed[-1] == "text 199" and "" not in timed


def test_no_content_is_an_error() -> None:
    with pytest.raises(DataError, match="no item has a content of this kind"):
        seconds_per_1000(Slow(), ["", "", ""], sample_size=5)


def test_equal_encoders_share_a_stage_and_others_do_not() -> None:
    fields = CatalogueFields(text=("title", "plot"))
    data = SimpleNamespace(
        data=SimpleNamespace(fields=fields), evaluation=VariantEvaluationConfig()
    )

    def name(**variant) -> str:
        variant = parse_config({"label": "x", **variant}, VariantConfig)
        return encoding_requests(data, variant)[0].stage_name

    words = {"name": "word2vec"}
    assert name(text=words) == name(text={**words, "window": 8}, label="other")
    assert name(text=words) != name(text={**words, "window": 5})
    assert name(text=words) != name(text=words, reads=["title"])
