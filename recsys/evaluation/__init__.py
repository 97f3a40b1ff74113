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
from recsys.evaluation.record import record, write_record
from recsys.evaluation.scorers import Scorer, VectorScorer

__all__ = [
    "Evaluation",
    "ItemKnnScorer",
    "MeanOfItemsScorer",
    "PopularityScorer",
    "RandomScorer",
    "Scorer",
    "VectorScorer",
    "difference",
    "evaluate",
    "record",
    "tune_item_knn",
    "write_record",
]
