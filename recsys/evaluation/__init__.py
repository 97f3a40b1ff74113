"""Evaluation: how good a scorer is, over the whole catalogue, beside honest baselines.

The report is in ``recsys.evaluation.report``, because it loads the plotting library.
"""

from __future__ import annotations

from recsys.evaluation.baselines import (
    ItemKnnScorer,
    PopularityScorer,
    RandomScorer,
    tune_item_knn,
)
from recsys.evaluation.evaluation import Evaluation, difference, evaluate
from recsys.evaluation.pairs import (
    LabelledPairs,
    SparsePairScorer,
    VectorPairScorer,
    evaluate_pairs,
    sample_pairs,
)
from recsys.evaluation.record import record, write_record
from recsys.evaluation.scorers import MeanOfItemsScorer, Scorer, SumScorer, VectorScorer

__all__ = [
    "Evaluation",
    "LabelledPairs",
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
    "evaluate",
    "sample_pairs",
    "evaluate_pairs",
    "record",
    "tune_item_knn",
    "write_record",
]
