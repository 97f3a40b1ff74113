"""Held-out queries with the items that the index of a run returns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recsys.pipeline.job import Job
from recsys.pipeline.scoring import batch_of
from recsys.ranking import PairContext, RetrievedItems
from recsys.ranking.learning import AnsweredRequest
from recsys.retrieval import TWO_TOWER, Space
from recsys.splits import HeldOutQueries

_BATCH = 512
_WINDOW = 50
"""Number of last items of a history whose vectors are given to a ranker."""


def requests_of(job: Job, queries: HeldOutQueries, *, candidates: int) -> Iterator[AnsweredRequest]:
    """Held-out queries with the items that the run's index returns, without their histories."""
    space = Space.load(job.folder / "index" / TWO_TOWER, TWO_TOWER)
    known = job.users_known_from(job.split.train)
    vectors = np.asarray(job.towers.item_vectors)
    for low in range(0, len(queries), _BATCH):
        batch = queries.slice(low, low + _BATCH)
        histories, times = batch.histories(), batch.times()
        users = job.towers.encode_many(batch_of(batch, known=known, phrases=job.query_phrases))
        hits = space.search(users, candidates, exclude=histories)
        for at, history in enumerate(histories):
            valid = hits.valid[at]
            rows = hits.rows[at][valid]
            context = PairContext(
                history,
                None if times is None else times[at],
                int(batch.time[at]),
                batch.phrases[int(batch.terms[at])],
                user_vector=users[at],
                history_vectors=vectors[history[-_WINDOW:]],
            )
            items = RetrievedItems.of_list(
                TWO_TOWER, rows, hits.scores[at][valid], vectors=vectors[rows]
            )
            yield AnsweredRequest(context, items, batch.targets(at), int(batch.time[at]))
