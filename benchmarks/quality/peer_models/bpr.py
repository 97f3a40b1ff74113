"""Bayesian personalised ranking of the library implicit (Rendle et al., 2009).

A user is a vector of their own: what they met after training is not read.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.quality.peer_models.files import Floats, Log, Queries
from benchmarks.quality.peer_models.lists import best
from benchmarks.quality.peer_models.running import Checkpoint, Setting


def learn(log: Log, setting: Setting, seed: int) -> Iterator[Checkpoint]:
    """The library's fit goes on from the vectors that are there."""
    from implicit.bpr import BayesianPersonalizedRanking

    model = BayesianPersonalizedRanking(
        factors=setting["factors"],
        learning_rate=setting["learning_rate"],
        regularization=setting["regularization"],
        random_state=seed,
    )
    met, done = log.matrix(), 0

    def score(queries: Queries) -> Floats:
        scores: Floats = model.user_factors[queries.user] @ model.item_factors.T
        return scores

    for epochs in setting["checkpoints"]:
        model.iterations = epochs - done
        model.fit(met, show_progress=False)
        done = epochs
        yield Checkpoint(epochs, lambda queries, k: best(queries, score, k))
