"""Evaluation of whole feeds: what each stage adds or costs, and how varied the feeds are.

Everything is computed from lists of item rows, whatever made them. ``recsys.feed.evaluation`` makes
them with a pipeline.
"""

from __future__ import annotations

from recsys.evaluation.feeds.lists import Lists
from recsys.evaluation.feeds.stages import StageFigures, StageLists, evaluate_stages
from recsys.evaluation.feeds.variety import (
    ItemFacts,
    calibration,
    exposure_gini,
    head_share,
    intra_list_diversity,
    novelty,
    serendipity,
    variety_figures,
)

__all__ = [
    "ItemFacts",
    "Lists",
    "StageFigures",
    "StageLists",
    "calibration",
    "evaluate_stages",
    "exposure_gini",
    "head_share",
    "intra_list_diversity",
    "novelty",
    "serendipity",
    "variety_figures",
]
