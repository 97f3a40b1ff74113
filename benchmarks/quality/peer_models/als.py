"""Alternating least squares of the library implicit (Hu, Koren and Volinsky, 2008)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.quality.peer_models.answering import Checkpoint, Setting
from benchmarks.quality.peer_models.files import Floats, Log, Queries
from benchmarks.quality.peer_models.ranking import top_k


def train(log: Log, setting: Setting, seed: int) -> Iterator[Checkpoint]:
    """The vector of a query is solved from its history, which may be newer than training."""
    from implicit.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    # The library has threads of its own and requires one thread per matrix product.
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

    yield Checkpoint(None, lambda queries, k: top_k(queries, score, k))
