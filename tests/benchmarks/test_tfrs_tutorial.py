"""The tutorial's model as a peer: it learns who meets what, and every interaction counts once."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.training import tutorial as tfrs_tutorial
from benchmarks.training.tutorial import TfrsTutorial
from recsys.evaluation import evaluate
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.splits import LeaveLastOutConfig, split

USERS, ITEMS, EACH = 60, 24, 10


@pytest.fixture(scope="module")
def log() -> Interactions:
    """Users of three kinds, each of which meets a third of the items, in any order."""
    rng = np.random.default_rng(0)
    third = ITEMS // 3
    met = [rng.permutation(third)[: EACH % third + 4] + user % 3 * third for user in range(USERS)]
    return Interactions.of(
        IdMap.of("user", [f"u{at}" for at in range(USERS)]),
        IdMap.of("item", [f"i{at}" for at in range(ITEMS)]),
        user=np.repeat(np.arange(USERS), [len(items) for items in met]),
        item=np.concatenate(met),
        time=np.concatenate([np.arange(len(items)) for items in met]),
    )


def test_it_learns_which_third_is_whose(log: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfrs_tutorial, "BATCH", 32)
    parts = split(log, LeaveLastOutConfig())
    tutorial = TfrsTutorial(parts.train, seed=1)

    def hits() -> float:
        judged = evaluate(
            tutorial.scorer(),
            parts.test,
            candidates=parts.candidates,
            item_counts=parts.train.item_counts,
        )
        return judged.figures["hr@10"]

    before = hits()
    for _ in range(60):
        tutorial.epoch()
    # At most 4 of a user's third are unmet, so that ten places hold them all.
    assert before < 0.8 and hits() > 0.95


def test_an_epoch_is_every_interaction_once(
    log: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tfrs_tutorial, "BATCH", 100)
    tutorial, seen = TfrsTutorial(log, seed=1), []
    real = tutorial.step
    monkeypatch.setattr(tutorial, "step", lambda places: seen.append(places) or real(places))
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
