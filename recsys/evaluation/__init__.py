"""Evaluation of scorers over the whole catalogue, compared with baselines.

Import the report from ``recsys.evaluation.report``, which loads the plotting library.
"""

from __future__ import annotations

from recsys.evaluation.baselines import (
    ItemKnnScorer,
    PopularityScorer,
    RandomScorer,
    tune_item_knn,
)
from recsys.evaluation.evaluation import (
    Evaluation,
    difference,
    differences,
    evaluate,
    evaluate_queries,
)
from recsys.evaluation.pairs import (
    SparsePairScorer,
    VectorPairScorer,
    evaluate_pairs,
    sample_pairs,
)
from recsys.evaluation.record import record, write_record
from recsys.evaluation.scorers import MeanOfItemsScorer, Scorer, SumScorer, VectorScorer

__all__ = [
    "Evaluation",
    "ItemKnnScorer",
    "MeanOfItemsScorer",
    "PopularityScorer",
    "RandomScorer",
    "Scorer",
    "SparsePairScorer",
    "SumScorer",
    "VectorPairScorer",
    "VectorScorer",
    "difference",
    "differences",
    "evaluate",
    "evaluate_pairs",
    "evaluate_queries",
    "record",
    "sample_pairs",
    "tune_item_knn",
    "write_record",
]
