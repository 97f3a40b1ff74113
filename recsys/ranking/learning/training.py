"""A ranker from a training table: the scorer that the configuration names, chosen and calibrated on
later requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from recsys.ids import Vectors
from recsys.progress import Progress, silent
from recsys.ranking.config import RankerConfig
from recsys.ranking.inputs import FeatureTable, PairContext
from recsys.ranking.learning.fitting import fit_boosted, fit_logistic
from recsys.ranking.learning.table import TrainingTable
from recsys.ranking.scorers import (
    BoostedScorer,
    EnsembleScorer,
    LinearScorer,
    PlattCalibration,
    Scorer,
)

_WINDOW = 50
"""Number of last items of a history whose vectors are given to a scorer."""


@dataclass(frozen=True, eq=False)
class FittedScorer:
    """A trained scorer.

    Attributes:
        scorer: The scorer.
        calibration: From its scores to probabilities.
        ndcg: Mean NDCG@10 of the later requests.
    """

    scorer: Scorer
    calibration: PlattCalibration
    ndcg: float


def fit_scorer(
    table: TrainingTable,
    later: TrainingTable,
    *,
    config: RankerConfig,
    item_vectors: Vectors,
    folder: Path,
    progress: Progress = silent,
) -> FittedScorer:
    """Train on one table, choose and calibrate on later requests with all of their items.

    Args:
        table: Examples.
        later: Later requests.
        config: Configuration.
        item_vectors: The towers' item vectors, float32 ``[items, d]``.
        folder: Folder of the network's checkpoints.
        progress: Called after every step.

    Raises:
        ConfigError: LightGBM is configured and not installed.
        DataError: There is nothing to train or to choose on.
    """
    later.check("the choice of a ranker")
    scores = partial(score_table, table=later, item_vectors=item_vectors)
    members: list[Scorer] = []
    if config.scorer == "logistic":
        members.append(fit_logistic(table, l2=config.l2))
    if "dcn" in config.scorer:
        from recsys.ranking.learning.cross_training import fit_cross

        network = fit_cross(
            table,
            items=len(item_vectors),
            item_vectors=item_vectors,
            folder=folder,
            network=config.network,
            train=config.train,
            validate=lambda network: mean_ndcg(later, scores(network)),
            progress=progress,
        )
        members.append(network)
    if "lightgbm" in config.scorer:
        members.append(fit_boosted(table, config.trees, validation=later))
    return choose_scale(members, later, item_vectors)


def choose_scale(
    members: Sequence[Scorer], later: TrainingTable, item_vectors: Vectors
) -> FittedScorer:
    """The calibrated scorer, or the mean of the calibrated scores of several ones."""
    found = [score_table(member, later, item_vectors) for member in members]
    scales = [PlattCalibration.fit(scores, later.taken, later.weights) for scores in found]
    if len(members) == 1:
        return FittedScorer(members[0], scales[0], mean_ndcg(later, found[0]))
    mean = EnsembleScorer(tuple(members), tuple(each.slope / len(members) for each in scales))
    scores = np.sum([each * w for each, w in zip(found, mean.weights)], axis=0)
    calibration = PlattCalibration.fit(scores, later.taken, later.weights)
    return FittedScorer(mean, calibration, mean_ndcg(later, scores))


def score_table(scorer: Scorer, table: TrainingTable, item_vectors: Vectors) -> Vectors:
    """Scores of all items of a table, float32 ``[n]``."""
    if isinstance(scorer, LinearScorer | BoostedScorer):  # reads no request
        return scorer.score(FeatureTable(table.names, table.values, table.rows), PairContext())
    scores = np.empty(len(table), np.float32)
    phrases = table.phrases or (("",),) * table.requests
    for at, (low, high) in enumerate(zip(table.offsets[:-1], table.offsets[1:])):
        rows, history = table.rows[low:high], table.histories.bag(at)
        context = PairContext(
            history,
            terms=phrases[at][-1],
            searched=phrases[at][:-1],
            history_vectors=item_vectors[history[-_WINDOW:]],
        )
        part = FeatureTable(table.names, table.values[low:high], rows, item_vectors[rows])
        scores[low:high] = scorer.score(part, context)
    return scores


def mean_ndcg(table: TrainingTable, scores: Vectors, k: int = 10) -> float:
    """Mean NDCG@k over the requests; of equal scores the earlier item is first."""
    owners = table.owners
    order = np.lexsort((-scores, owners))
    position = np.arange(len(order)) - table.offsets[owners]
    gains = np.where(position < k, 1 / np.log2(position + 2), 0) * table.taken[order]
    gained = np.bincount(owners, gains, minlength=table.requests)
    taken = np.bincount(owners, table.taken, minlength=table.requests).astype(np.int64)
    best = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    return float(np.mean(gained / best[np.clip(taken, 1, k)]))
