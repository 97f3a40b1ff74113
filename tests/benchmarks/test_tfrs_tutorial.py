"""The model of TFRS' tutorial."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.training import tutorial as tfrs_tutorial
from benchmarks.training.tutorial import TfrsTutorial
from recsys.evaluation import evaluate_queries
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.splits import LeaveLastOutConfig, split

USERS, ITEMS, EACH = 60, 24, 10


@pytest.fixture(scope="module")
def log() -> Interactions:
    """Users of three kinds, each with a third of the items, in random order."""
    rng = np.random.default_rng(0)
    third = ITEMS // 3
    items = [rng.permutation(third)[: EACH % third + 4] + user % 3 * third for user in range(USERS)]
    return Interactions.of(
        IdMap.of("user", [f"u{at}" for at in range(USERS)]),
        IdMap.of("item", [f"i{at}" for at in range(ITEMS)]),
        user=np.repeat(np.arange(USERS), [len(each) for each in items]),
        item=np.concatenate(items),
        time=np.concatenate([np.arange(len(each)) for each in items]),
    )


def test_the_tutorial_learns_the_groups_of_users(
    log: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tfrs_tutorial, "BATCH", 32)
    parts = split(log, LeaveLastOutConfig())
    tutorial = TfrsTutorial(parts.train, seed=1)

    def hits() -> float:
        result = evaluate_queries(
            tutorial.scorer(),
            parts.test,
            candidates=parts.candidates,
            item_counts=parts.train.item_counts,
        )
        return result.figures["hr@10"]

    before = hits()
    for _ in range(60):
        tutorial.epoch()
    # At most 4 of a user's third are unmet, so that ten indices hold them all.
    assert before < 0.8 and hits() > 0.95


def test_an_epoch_trains_on_every_interaction_once(
    log: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tfrs_tutorial, "BATCH", 100)
    tutorial, seen = TfrsTutorial(log, seed=1), []
    real = tutorial.step
    monkeypatch.setattr(tutorial, "step", lambda indices: seen.append(indices) or real(indices))
    first = tutorial.epoch()
    assert np.sort(np.concatenate(seen)).tolist() == list(range(len(log)))
    assert max(map(len, seen)) == 100 and first == pytest.approx(np.log(100), rel=0.1)


def test_the_same_seed_gives_the_same_vectors(log: Interactions) -> None:
    pair = [TfrsTutorial(log, seed=seed) for seed in (3, 3, 4)]
    for tutorial in pair:
        tutorial.epoch()
    users = [tutorial.user_vectors for tutorial in pair]
    assert users[0].shape == (USERS, 32) and users[0].dtype == np.float32
    assert np.array_equal(users[0], users[1]) and not np.allclose(users[0], users[2])
