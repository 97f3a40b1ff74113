"""The advice of each refused request is followed, and the request is then answered.

Every row is tried in-process and over the service, whose limits differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from recsys.config import parse_config
from recsys.errors import ConfigError, RecsysError
from recsys.pipeline import RunConfig
from recsys.retrieval import RetrievalCalls, WeightedSum
from recsys_client import RecsysClient
from tests.retrieval.world import make_world
from tests.server.service_world import WAIT, served

ANN: dict[str, Any] = {"user_id": "ann", "k": 2}
LEFT_OUT = None

# A request, the change that the message advises (None: left out), and its words in the message.
ROWS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({**ANN, "seen": "hide"}, {"seen": "exclude"}, "must be 'exclude' or 'include'"),
    ({**ANN, "unknown_history": "drop"}, {"unknown_history": "skip"}, "must be 'skip' or 'raise'"),
    ({**ANN, "space": "two-tower"}, {"space": "two_tower"}, "did you mean 'two_tower'?"),
    ({**ANN, "space": "txt+image"}, {"space": "text+image"}, "did you mean 'text'?"),
    ({**ANN, "space": "text+text"}, {"space": "text"}, "names one twice"),
    (
        {"k": 2},
        {"user_id": "ann"},
        "give user_id, history, terms, image, item_id",
    ),
    ({**ANN, "history": ["i01"]}, {"history": LEFT_OUT}, "give user_id or history, not both"),
    ({**ANN, "item_id": "i01"}, {"user_id": LEFT_OUT}, "leave out user_id"),
    ({**ANN, "user_id": "anne"}, {"user_id": LEFT_OUT, "history": ["i01"]}, "give a history"),
    ({**ANN, "user_id": "anne"}, {"user_id": LEFT_OUT, "terms": "7"}, "or search terms instead"),
    (
        {"history": ["i01", "x"], "unknown_history": "raise", "k": 2},
        {"unknown_history": "skip"},
        "unknown_history='skip'",
    ),
    ({**ANN, "image": b"7"}, {"space": "image"}, "ask a space that does: 'image'"),
    (
        {"terms": "7", "space": "text+image", "k": 2},
        {"space": "text"},
        "leave the space out",
    ),
    ({**ANN, "fusion": WeightedSum()}, {"fusion": LEFT_OUT}, "leave it out"),
    ({**ANN, "fusion": WeightedSum()}, {"space": "text+image"}, "such as 'text+image'"),
    (
        {**ANN, "space": "text+image", "fusion": WeightedSum({"text": 0, "image": 0})},
        {"fusion": WeightedSum({"text": 1, "image": 0})},
        "give one a weight above 0",
    ),
    (
        {"history": ["i01", "i02"], "history_times": [1], "k": 2},
        {"history_times": LEFT_OUT},
        "one time per item",
    ),
]


@pytest.fixture(scope="module")
def doors() -> Iterator[dict[str, RetrievalCalls]]:
    retriever = make_world().retriever()
    with served(retriever) as running, RecsysClient(running.address, timeout=WAIT) as client:
        yield {"engine": retriever, "service": client}


@pytest.mark.parametrize("door", ["engine", "service"])
@pytest.mark.parametrize(("request_", "change", "words"), ROWS)
def test_the_advice_is_followed(
    doors: dict[str, RetrievalCalls],
    door: str,
    request_: dict[str, Any],
    change: dict[str, Any],
    words: str,
) -> None:
    with pytest.raises(RecsysError) as raised:
        doors[door].retrieve(**request_)
    assert words in raised.value.message
    changed = {key: value for key, value in {**request_, **change}.items() if value is not LEFT_OUT}
    assert doors[door].retrieve(**changed).candidates


@pytest.mark.parametrize(
    ("door", "k", "limit", "most"),
    [
        ("engine", 0, "from 1 to 10,000; got 0", 10_000),
        ("engine", 20_000, "from 1 to 10,000; got 20000", 10_000),
        ("service", 0, "the limit of the service (1,000 by default); got 0", 1_000),
        ("service", 5_000, "from 1 to 1,000; got 5000", 1_000),
        ("service", 20_000, "the limit of the service (1,000 by default); got 20000", 1_000),
    ],
)
def test_the_limit_of_k_is_that_of_the_door(
    doors: dict[str, RetrievalCalls], door: str, k: int, limit: str, most: int
) -> None:
    with pytest.raises(RecsysError) as raised:
        doors[door].retrieve(user_id="ann", k=k)
    assert limit in raised.value.message
    assert doors[door].retrieve(user_id="ann", k=most).candidates


def test_the_request_of_a_run_is_held_to_the_limit_of_its_service() -> None:
    shop = {"name": "shop", "data": {"interactions": {"format": "csv", "path": "log.csv"}}}
    for k in (0, 5_000):
        with pytest.raises(ConfigError, match=f"k must be from 1 to 1,000; got {k}"):
            parse_config({**shop, "serve": {"call": {"k": k}}}, RunConfig)
    assert parse_config({**shop, "serve": {"call": {"k": 1_000}}}, RunConfig).serve.call.k == 1_000
