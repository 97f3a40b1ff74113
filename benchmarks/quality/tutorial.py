"""The model of TFRS' own retrieval tutorial as a peer; it runs in the project's environment.

``python -m benchmarks.quality.tutorial REQUEST.json`` answers a request as any peer does. As the
tutorial advises, no metric is computed while it trains; lists are judged by the one evaluation.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.quality.peer_models.files import Floats, Log, Queries
from benchmarks.quality.peer_models.lists import best
from benchmarks.quality.peer_models.running import Checkpoint, Setting, answer
from recsys.files import read_json
from recsys.ids import IdMap
from recsys.interactions import Interactions


def learn(log: Log, setting: Setting, seed: int) -> Iterator[Checkpoint]:
    """``setting``: dimension, checkpoints."""
    from benchmarks.tfrs_tutorial import TfrsTutorial

    model, done = TfrsTutorial(_interactions(log), seed=seed, dimension=setting["dimension"]), 0
    for epochs in setting["checkpoints"]:
        for _ in range(epochs - done):
            model.epoch()
        done = epochs
        users, items = model.user_vectors, model.item_vectors

        def score(queries: Queries, users: Floats = users, items: Floats = items) -> Floats:
            scores: Floats = users[queries.user] @ items.T
            return scores

        yield Checkpoint(epochs, lambda queries, k, score=score: best(queries, score, k))


def _interactions(log: Log) -> Interactions:
    users, items = (
        IdMap.of(kind, list(map(str, range(size))))
        for kind, size in (("user", log.users), ("item", log.items))
    )
    order = range(len(log.user))
    return Interactions.of(users, items, user=log.user, item=log.item, time=order, clock="position")


if __name__ == "__main__":
    answer(read_json(Path(sys.argv[1])), learn)
