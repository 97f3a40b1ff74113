"""Will this user take this item? Small networks over pairs, of given vectors or of learned ones.

A two-tower model meets user and item in one inner product, so that an index can search; a pair
network looks at both at once, says how probable it is, and can rank or gate what was retrieved.
Networks at rest are numpy; TensorFlow is loaded by training alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recsys.ranking.bags import Bags, SearchedWords, bags_of_words, met_before, vocabulary
from recsys.ranking.config import PairTrainConfig, SparsePairConfig, VectorPairConfig
from recsys.ranking.head import probability
from recsys.ranking.sampling import PairSampler
from recsys.ranking.sparse_network import SparsePairNetwork, load_sparse_pairs
from recsys.ranking.vector_network import VectorPairNetwork, load_vector_pairs

if TYPE_CHECKING:
    from recsys.ranking.training import PairFitResult, fit_sparse_pairs, fit_vector_pairs

__all__ = [
    "Bags",
    "PairFitResult",
    "PairSampler",
    "PairTrainConfig",
    "SearchedWords",
    "SparsePairConfig",
    "SparsePairNetwork",
    "VectorPairConfig",
    "VectorPairNetwork",
    "bags_of_words",
    "fit_sparse_pairs",
    "fit_vector_pairs",
    "load_sparse_pairs",
    "load_vector_pairs",
    "met_before",
    "probability",
    "vocabulary",
]

_LAZY = {"PairFitResult", "fit_sparse_pairs", "fit_vector_pairs"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("recsys.ranking.training"), name)
