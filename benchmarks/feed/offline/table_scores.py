"""Scores of all items of many requests, and weighted sums of scorers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from recsys.ids import Rows, Vectors
from recsys.pipeline import Job
from recsys.pipeline.rank_stage.requests import requests_of
from recsys.ranking import EnsembleScorer, FeatureSet, PlattCalibration, RankerConfig, Scorer
from recsys.ranking.learning import AnsweredRequest, TrainingTable
from recsys.ranking.learning.training import FittedScorer, mean_ndcg, score_table
from recsys.splits import HeldOutQueries

CHUNK = 512
RETRIEVAL_RANK = "source.two_tower.rank"
Blocks = Iterable[tuple[FeatureSet, HeldOutQueries]]


class TableScores:
    """Scores of the items of a table; a member of several ensembles scores once."""

    def __init__(self, table: TrainingTable, vectors: Vectors) -> None:
        self.table, self._vectors = table, vectors
        self._known: dict[int, tuple[Scorer, Vectors]] = {}

    def of(self, scorer: Scorer) -> Vectors:
        """float32 ``[n]``."""
        if isinstance(scorer, EnsembleScorer):
            parts = zip(scorer.members, scorer.weights)
            return np.sum([self.of(each) * weight for each, weight in parts], axis=0)
        if id(scorer) not in self._known:
            self._known[id(scorer)] = scorer, score_table(scorer, self.table, self._vectors)
        return self._known[id(scorer)][1]

    @property
    def retrieval(self) -> Vectors:
        """Scores in the order of retrieval, float32 ``[n]``."""
        return -self.table.select((RETRIEVAL_RANK,)).values[:, 0]


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some queries with all of their items.

    Attributes:
        users: User rows, int32 ``[q]``.
        requests: The queries with the retrieved items.
        scores: Scores of the items.
    """

    users: Rows
    requests: Sequence[AnsweredRequest]
    scores: TableScores


def chunks_of(job: Job, config: RankerConfig, blocks: Blocks, vectors: Vectors) -> Iterator[Chunk]:
    """The queries of the blocks, ``CHUNK`` or fewer at a time."""
    for features, queries in blocks:
        requests, done = requests_of(job, queries, candidates=config.candidates), 0
        while chunk := list(islice(requests, CHUNK)):
            table = TrainingTable.of(
                [features.compute(each.context, each.items) for each in chunk],
                [each.labels for each in chunk],
                times=[each.time for each in chunk],
                contexts=[each.context for each in chunk],
            )
            users = queries.user[done : done + len(chunk)]
            done += len(chunk)
            yield Chunk(users, chunk, TableScores(table, vectors))


def weighted_sum(fitted: Sequence[FittedScorer], weights: Sequence[float]) -> EnsembleScorer:
    """The weighted sum of log-odds."""
    scales = [each.calibration.slope * weight for each, weight in zip(fitted, weights)]
    return EnsembleScorer(tuple(each.scorer for each in fitted), tuple(scales))


def calibrated(scorer: Scorer, scores: TableScores) -> FittedScorer:
    """The scorer with its calibration and its NDCG@10 on the table."""
    table, found = scores.table, scores.of(scorer)
    calibration = PlattCalibration.fit(found, table.taken, table.weights)
    return FittedScorer(scorer, calibration, mean_ndcg(table, found))
