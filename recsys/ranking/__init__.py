"""Rankers of retrieved items, and pair networks.

A ranker computes features of retrieved items, and a scorer of these features orders them. A pair
network is the probability that a user takes an item: it reads both together, where a two-tower
model joins them by an inner product that an index can search. Trained networks are numpy; only
training loads TensorFlow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recsys.ranking.bags import Bags, SearchedWords, bags_of_words, history_bags, vocabulary
from recsys.ranking.config import (
    CrossConfig,
    CrossTrainConfig,
    PairTrainConfig,
    RankerConfig,
    SparsePairConfig,
    VectorPairConfig,
)
from recsys.ranking.head import probability
from recsys.ranking.inputs import (
    FeatureSet,
    FeatureTable,
    PairContext,
    RetrievedItems,
    Statistics,
    StatisticsConfig,
    default_features,
    is_feature,
)
from recsys.ranking.ranker import RankedItems, Ranker, load_ranker
from recsys.ranking.sampling import PairSampler
from recsys.ranking.scorers import (
    BoostedScorer,
    CrossScorer,
    EnsembleScorer,
    LinearScorer,
    PlattCalibration,
    Reliability,
    Scorer,
    SparseNetworkScorer,
    VectorNetworkScorer,
    load_scorer,
)
from recsys.ranking.sparse_network import SparsePairNetwork, load_sparse_pairs
from recsys.ranking.vector_network import VectorPairNetwork, load_vector_pairs

if TYPE_CHECKING:
    from recsys.ranking.training import PairFitResult, fit_sparse_pairs, fit_vector_pairs

__all__ = [
    "Bags",
    "BoostedScorer",
    "CrossConfig",
    "CrossScorer",
    "CrossTrainConfig",
    "EnsembleScorer",
    "FeatureSet",
    "FeatureTable",
    "LinearScorer",
    "PairContext",
    "PairFitResult",
    "PairSampler",
    "PairTrainConfig",
    "PlattCalibration",
    "RankedItems",
    "Ranker",
    "RankerConfig",
    "Reliability",
    "RetrievedItems",
    "Scorer",
    "SearchedWords",
    "SparseNetworkScorer",
    "SparsePairConfig",
    "SparsePairNetwork",
    "Statistics",
    "StatisticsConfig",
    "VectorNetworkScorer",
    "VectorPairConfig",
    "VectorPairNetwork",
    "bags_of_words",
    "default_features",
    "is_feature",
    "fit_sparse_pairs",
    "fit_vector_pairs",
    "history_bags",
    "load_ranker",
    "load_scorer",
    "load_sparse_pairs",
    "load_vector_pairs",
    "probability",
    "vocabulary",
]

_LAZY = {"PairFitResult", "fit_sparse_pairs", "fit_vector_pairs"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("recsys.ranking.training"), name)
