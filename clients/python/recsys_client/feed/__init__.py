"""Feeds: the request for an ordered, varied list of items, and its answer."""

from recsys_client.feed.explanation import (
    AbsentItem,
    FeatureContribution,
    FeedExplanation,
    FeedItemExplanation,
    RemovedItems,
    SimilarItem,
    SourceRank,
    StageRank,
    UnknownValue,
)
from recsys_client.feed.pipelines import PipelineDescription, StageDescription
from recsys_client.feed.request import MAX_FEED, FeedRequest
from recsys_client.feed.response import FeedItem, FeedResponse, Slot, StageReport, StageStatus

__all__ = [
    "MAX_FEED",
    "AbsentItem",
    "FeatureContribution",
    "FeedExplanation",
    "FeedItem",
    "FeedItemExplanation",
    "FeedRequest",
    "FeedResponse",
    "PipelineDescription",
    "RemovedItems",
    "SimilarItem",
    "Slot",
    "SourceRank",
    "StageDescription",
    "StageRank",
    "StageReport",
    "StageStatus",
    "UnknownValue",
]
