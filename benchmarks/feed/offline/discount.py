"""The discount of popular items, which keeps the lists of a ranker from covering fewer items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from benchmarks.feed.offline.measures import K
from benchmarks.feed.offline.table_scores import Chunk, TableScores, calibrated, weighted_sum
from recsys.ids import Mask, Rows, Vectors
from recsys.ranking import EnsembleScorer, LinearScorer, PlattCalibration
from recsys.ranking.learning import TrainingTable
from recsys.ranking.learning.training import FittedScorer, mean_ndcg

DISCOUNTS = tuple(round(0.025 * step, 3) for step in range(33))
"""Factors of the logarithm of popularity that are tried."""
COVERAGE = 0.98
"""Number of distinct items that the feed has to cover, as a share of those of the order of
retrieval. On later queries the share is smaller."""


def discounts_of(best: FittedScorer) -> Mapping[float, EnsembleScorer]:
    """The log-odds minus each of ``DISCOUNTS`` times the logarithm of popularity."""
    popularity = FittedScorer(LinearScorer.of_weights({"popularity": 1.0}), PlattCalibration(), 0.0)
    return {each: weighted_sum([best, popularity], (1.0, -each)) for each in DISCOUNTS}


def coverage_ratios(
    scorers: Mapping[float, EnsembleScorer], chunks: Iterable[Chunk], items: int
) -> dict[float, float]:
    """Number of distinct items in the first ten of all requests, over that of retrieval.

    Args:
        scorers: Scorers by their discount.
        chunks: The requests; no label is read.
        items: Number of items.
    """
    shown = {each: np.zeros(items, np.bool_) for each in scorers}
    retrieved: Mask = np.zeros(items, np.bool_)
    for chunk in chunks:
        scores = chunk.scores
        retrieved[first_rows(scores.table, scores.retrieval)] = True
        for each, scorer in scorers.items():
            shown[each][first_rows(scores.table, scores.of(scorer))] = True
    return {each: float(rows.sum() / retrieved.sum()) for each, rows in shown.items()}


def choose_discount(
    scorers: Mapping[float, EnsembleScorer], ratios: Mapping[float, float], scores: TableScores
) -> tuple[FittedScorer, list[dict[str, Any]]]:
    """The scorer with the smallest discount that keeps ``COVERAGE``, or with the largest one.

    Returns:
        The scorer, calibrated on ``scores``, and the ratio and NDCG@10 of each discount.
    """
    enough = (each for each, ratio in ratios.items() if ratio >= COVERAGE)
    chosen = next(enough, max(scorers))
    tried = [
        {
            "discount": each,
            "coverage_ratio": ratios[each],
            "ndcg@10": mean_ndcg(scores.table, scores.of(scorer)),
            "chosen": each == chosen,
        }
        for each, scorer in scorers.items()
    ]
    return calibrated(scorers[chosen], scores), tried


def first_rows(table: TrainingTable, scores: Vectors) -> Rows:
    """Rows of the first ten items of every request, one request after the other."""
    order = np.lexsort((-scores, table.owners))
    position = np.arange(len(order)) - table.offsets[table.owners]
    return table.rows[order[position < K]]
