"""Requests as JSON and back; other JSON is refused with its field."""

from __future__ import annotations

import json

import pytest

from recsys.errors import InvalidRequestError
from recsys.retrieval import (
    ReciprocalRank,
    Request,
    WeightedSum,
    request_from_json,
    request_to_json,
)

REQUESTS = [
    Request.of(user_id="ann", k=3),
    Request.of(history=[], k=3),
    Request.of(image=bytes(range(256)), terms="lamp", k=1, space="text+image"),
    Request.of(history=["a"], history_times=[5], context={"country": "de"}, k=1, exclude=["b"]),
    Request.of(item_id="a", k=1, space="text+image", fusion=WeightedSum({"text": 0.5})),
    Request.of(item_id="a", k=1, space="text+image", fusion=ReciprocalRank(7, 20)),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_request_equals_its_json(request_: Request) -> None:
    text = json.dumps(request_to_json(request_), allow_nan=False)
    assert request_from_json(json.loads(text)) == request_


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"user_id": "ann"}, "k", "needs k, its number of candidates"),
        ({"k": 1, "colour": "red"}, "colour", "no field 'colour'; its fields are: user_id, "),
        ({"k": 1, "image": "not base64"}, "query.image", "must be the base64 of a picture"),
        ({"k": 1, "history": "a"}, "query.history", "must be a sequence of ids"),
        ({"k": 1, "history": 5}, "query.history", "sequence of ids; got the single value 5"),
        ({"k": 1, "history": [], "history_times": 3}, "query.history_times", "sequence of times"),
        ({"k": 1, "history": [], "history_times": ["x"]}, "query.history_times[0]", "whole second"),
        ({"k": 1, "fusion": {}}, "fusion", "one of the keys reciprocal_rank and weighted_sum"),
        ({"k": 1, "fusion": {"weighted_sum": {}, "x": {}}}, "fusion", "one of the keys"),
        ({"k": 1, "fusion": {"weighted_sum": {"depth": 1}}}, "fusion", "no option 'depth'"),
        ({"k": 1, "fusion": {"reciprocal_rank": {"depth": 0}}}, "fusion.depth", "whole number"),
    ],
)
def test_other_json_is_refused(values: dict[str, object], field: str, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message) as caught:
        request_from_json(values)
    assert caught.value.field == field
