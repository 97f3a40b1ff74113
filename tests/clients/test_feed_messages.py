"""Feed requests and responses as messages."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from recsys_client import Query
from recsys_client.errors import InvalidRequestError
from recsys_client.feed import (
    AbsentItem,
    FeatureContribution,
    FeedExplanation,
    FeedItem,
    FeedItemExplanation,
    FeedRequest,
    FeedResponse,
    RemovedItems,
    SimilarItem,
    SourceRank,
    StageRank,
    StageReport,
    UnknownValue,
)
from recsys_client.feed.messages import (
    read_feed_request,
    read_feed_response,
    write_feed_request,
    write_feed_response,
)
from recsys_client.pb.recsys.v1 import feed_pb2 as pb

SAMPLES: dict[str, Any] = {
    "query": Query(history=("a", "b"), history_times=(1, 2), terms="x", context={"c": "d"}),
    "k": 7,
    "pipeline": "home",
    "exclude": ("a",),
    "seen": "include",
    "filter": 'brand = "acme" and not price < 20',
    "blocked": {"brand": ("acme",)},
    "followed": {"tags": ("new", "sale")},
    "candidates": ("a", "b"),
    "candidate_scores": (0.1, -3.0),
    "pinned": ("p",),
    "promoted": ("q",),
    "now": -5,
    "seed": 2**63 - 1,
    "titles": True,
    "explain": True,
    "explain_ids": ("z",),
}


def test_messages_keep_each_field_of_a_request() -> None:
    assert set(SAMPLES) == {each.name for each in fields(FeedRequest)}
    request, default = FeedRequest(**SAMPLES), FeedRequest()
    assert all(getattr(request, name) != getattr(default, name) for name in SAMPLES)
    for given in (request, default):
        raw = write_feed_request(given).SerializeToString()
        assert read_feed_request(pb.RankFeedRequest.FromString(raw)) == given


def test_messages_keep_each_field_of_a_response() -> None:
    ranks = (SourceRank("popular", 3, 0.1),)
    similar = (SimilarItem("h", "text", -0.25),)
    parts = (FeatureContribution("ease", None, 0.1), FeatureContribution("trend", 0.7, -1 / 3))
    response = FeedResponse(
        (FeedItem("a", 1, 0.5, ("popular",), "explored", 1 / 3, "A"), FeedItem("b", 2, -1.0)),
        "home",
        "d1",
        (StageReport("popular", "source", "late", 0, 5, 0.25, "too late"),),
        "2 positions are empty",
        ("h",),
        ("e",),
        ("c",),
        known_user=False,
        bundle_version="v1",
        watermark=9,
        request_id="r1",
        explanation=FeedExplanation(
            (FeedItemExplanation("a", ranks, (StageRank("blend", 1, 0.1),), parts, similar),),
            (AbsentItem("z", "seen", "seen before", ranks, similar),),
            (RemovedItems("seen", "seen before", 3, ("z", "y")),),
            (UnknownValue("blocked", "brand", "acmee"),),
        ),
    )
    default = FeedResponse((), "")
    assert all(getattr(response, f.name) != getattr(default, f.name) for f in fields(FeedResponse))
    for given in (response, default):
        raw = write_feed_response(given).SerializeToString()
        assert read_feed_response(pb.RankFeedResponse.FromString(raw)) == given


@pytest.mark.parametrize("values", [{"k": 0}, {"pipeline": 3}, {"exclude": ["\ud800"]}])
def test_values_that_fit_no_message_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        write_feed_request(replace(FeedRequest(), **values))
    with pytest.raises(InvalidRequestError, match="seen has the unknown value 9"):
        read_feed_request(pb.RankFeedRequest(k=1, seen=9))  # type: ignore[arg-type]
