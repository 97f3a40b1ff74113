"""Inputs of a ranker: a request, retrieved items, statistics of a log, and features."""

from recsys.ranking.inputs.context import PairContext
from recsys.ranking.inputs.feature_set import FeatureSet, default_features, is_feature
from recsys.ranking.inputs.retrieved import RetrievedItems
from recsys.ranking.inputs.statistics import Statistics, StatisticsConfig, load_statistics
from recsys.ranking.inputs.table import FeatureTable
from recsys.ranking.inputs.transitions import Transitions

__all__ = [
    "FeatureSet",
    "FeatureTable",
    "PairContext",
    "RetrievedItems",
    "Statistics",
    "StatisticsConfig",
    "Transitions",
    "default_features",
    "is_feature",
    "load_statistics",
]
