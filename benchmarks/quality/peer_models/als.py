"""Alternating least squares of the library implicit (Hu, Koren and Volinsky, 2008)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.quality.peer_models.files import Floats, Log, Queries
from benchmarks.quality.peer_models.lists import best
from benchmarks.quality.peer_models.running import Checkpoint, Setting


def learn(log: Log, setting: Setting, seed: int) -> Iterator[Checkpoint]:
    """A query is solved for from its history, so that it counts what the query has met since."""
    from implicit.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    # The library has threads of its own, and asks for one thread a matrix product.
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=setting["factors"],
            regularization=setting["regularization"],
            alpha=setting["alpha"],
            iterations=setting["iterations"],
            random_state=seed,
        )
        model.fit(log.matrix(), show_progress=False)

    def score(queries: Queries) -> Floats:
        with threadpool_limits(1, "blas"):
            users = model.recalculate_user(np.arange(len(queries)), queries.matrix())
        scores: Floats = users @ model.item_factors.T
        return scores

    yield Checkpoint(None, lambda queries, k: best(queries, score, k))
