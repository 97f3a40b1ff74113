"""Bayesian personalised ranking of the library implicit (Rendle et al., 2009).

A user has a trained vector; interactions after training are not read.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.quality.peer_models.answering import Checkpoint, Setting
from benchmarks.quality.peer_models.files import Floats, Log, Queries
from benchmarks.quality.peer_models.ranking import top_k


def train(log: Log, setting: Setting, seed: int) -> Iterator[Checkpoint]:
    """The library's ``fit`` continues from the current vectors."""
    from implicit.bpr import BayesianPersonalizedRanking

    model = BayesianPersonalizedRanking(
        factors=setting["factors"],
        learning_rate=setting["learning_rate"],
        regularization=setting["regularization"],
        random_state=seed,
    )
    interactions, done = log.matrix(), 0

    def score(queries: Queries) -> Floats:
        scores: Floats = model.user_factors[queries.user] @ model.item_factors.T
        return scores

    for epochs in setting["checkpoints"]:
        model.iterations = epochs - done
        model.fit(interactions, show_progress=False)
        done = epochs
        yield Checkpoint(epochs, lambda queries, k: top_k(queries, score, k))
