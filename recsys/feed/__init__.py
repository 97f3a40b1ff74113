"""Feeds: from candidates of several sources to the ordered, varied list that a person sees.

A :class:`FeedConfig` describes a pipeline of stages, and a :class:`Feed` runs it for requests.
"""

from recsys.feed.candidates import Candidates, Retrieved, merge
from recsys.feed.config import DEFAULT, FeedConfig, choose, shares_of
from recsys.feed.context import FeedContext
from recsys.feed.feed import Feed, RankedFeed, patient
from recsys.feed.picture_hashes import PictureHashes
from recsys.feed.pipeline import Pipeline
from recsys.feed.running.counting import StageCount, StageCounts
from recsys.feed.running.pool import StagePool
from recsys.feed.running.runner import run_pipeline
from recsys.feed.running.trace import StageRecord, State, Trace
from recsys.feed.stages import (
    DiversityStage,
    Filter,
    Filtered,
    Hydrator,
    Scored,
    ScoringStage,
    Selected,
    SlotStage,
    Source,
    Stage,
)
from recsys.feed.view import FeedView
from recsys_client.feed import (
    FeedExplanation,
    FeedItem,
    FeedRequest,
    FeedResponse,
    StageReport,
)

__all__ = [
    "Candidates",
    "DEFAULT",
    "DiversityStage",
    "Feed",
    "FeedConfig",
    "FeedContext",
    "FeedExplanation",
    "FeedItem",
    "FeedRequest",
    "FeedResponse",
    "FeedView",
    "Filter",
    "Filtered",
    "Hydrator",
    "PictureHashes",
    "Pipeline",
    "RankedFeed",
    "Retrieved",
    "Scored",
    "ScoringStage",
    "Selected",
    "SlotStage",
    "Source",
    "Stage",
    "StageCount",
    "StageCounts",
    "StagePool",
    "StageRecord",
    "StageReport",
    "State",
    "Trace",
    "choose",
    "merge",
    "patient",
    "run_pipeline",
    "shares_of",
]
