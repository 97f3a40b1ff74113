"""Feeds: from candidates of several sources to the ordered, varied list that a person sees.

A :class:`Pipeline` is a list of stages; :func:`run_pipeline` runs it for one request.
"""

from recsys.feed.candidates import Candidates, Retrieved, merge
from recsys.feed.context import FeedContext
from recsys.feed.pipeline import Pipeline
from recsys.feed.pool import StagePool
from recsys.feed.runner import run_pipeline
from recsys.feed.stages import (
    DiversityStage,
    Filter,
    Filtered,
    Hydrator,
    ScoringStage,
    Selected,
    SlotStage,
    Source,
    Stage,
)
from recsys.feed.trace import StageRecord, State, Trace
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
    "DiversityStage",
    "FeedContext",
    "FeedExplanation",
    "FeedItem",
    "FeedRequest",
    "FeedResponse",
    "FeedView",
    "Filter",
    "Hydrator",
    "Filtered",
    "Pipeline",
    "Retrieved",
    "ScoringStage",
    "Selected",
    "SlotStage",
    "Source",
    "Stage",
    "StagePool",
    "StageRecord",
    "StageReport",
    "State",
    "Trace",
    "merge",
    "run_pipeline",
]
