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
from recsys.evaluation.content import MeanOfItemsScorer
from recsys.evaluation.evaluation import Evaluation, difference, evaluate
from recsys.evaluation.pairs import (
    HeldOutPairs,
    SparsePairScorer,
    VectorPairScorer,
    held_out_pairs,
    judge_pairs,
)
from recsys.evaluation.record import record, write_record
from recsys.evaluation.scorers import Scorer, SumScorer, VectorScorer

__all__ = [
    "Evaluation",
    "HeldOutPairs",
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
    "held_out_pairs",
    "judge_pairs",
    "record",
    "tune_item_knn",
    "write_record",
]
