"""The model of TFRS' own retrieval tutorial as a peer, in the project's environment.

As the tutorial advises, no metric is computed during training.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.processes import answer_request
from benchmarks.quality.peer_models.answering import Checkpoint, Setting, answer
from benchmarks.quality.peer_models.files import Floats, Log, Queries
from benchmarks.quality.peer_models.ranking import top_k
from recsys.ids import IdMap
from recsys.interactions import Interactions


def train(log: Log, setting: Setting, seed: int) -> Iterator[Checkpoint]:
    """``setting``: dimension, checkpoints."""
    from benchmarks.training.tutorial import TfrsTutorial

    model, done = TfrsTutorial(_interactions(log), seed=seed, dimension=setting["dimension"]), 0
    for epochs in setting["checkpoints"]:
        for _ in range(epochs - done):
            model.epoch()
        done = epochs
        users, items = model.user_vectors, model.item_vectors

        def score(queries: Queries, users: Floats = users, items: Floats = items) -> Floats:
            scores: Floats = users[queries.user] @ items.T
            return scores

        yield Checkpoint(epochs, lambda queries, k, score=score: top_k(queries, score, k))


def _interactions(log: Log) -> Interactions:
    users, items = (
        IdMap.of(kind, list(map(str, range(size))))
        for kind, size in (("user", log.users), ("item", log.items))
    )
    order = range(len(log.user))
    return Interactions.of(users, items, user=log.user, item=log.item, time=order, clock="position")


if __name__ == "__main__":
    answer_request(lambda request: answer(request, train))
