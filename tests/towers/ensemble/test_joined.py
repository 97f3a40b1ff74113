"""Several pairs of towers whose vectors stand side by side."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.towers import JoinedTowers, MeanHistory, MemberConfig, QueryBatch, load_towers
from recsys.towers.ensemble.members import SEED_STEP
from tests.towers.training.test_fitting import BY_MEAN, TOWERS, mean_size, train

TWO = (MemberConfig(), MemberConfig())
ASKED = QueryBatch.of([np.array([at, at + 1], np.int32) for at in range(4)])


def joined(folder, **changes):
    settled = {"towers": BY_MEAN, "members": TWO, "epochs": 3, "seed": 5}
    return train(folder, **settled | changes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("members")


@pytest.fixture(scope="module")
def fitted(folder):
    return joined(folder, validate=mean_size)


def test_the_score_is_the_mean_of_the_members_cosines(fitted):
    one, two = fitted.towers.members
    scores = fitted.towers.encode(ASKED) @ fitted.towers.item_vectors.T
    cosines = [each.encode(ASKED) @ each.item_vectors.T for each in (one, two)]
    assert not np.allclose(*cosines, atol=1e-2)
    np.testing.assert_allclose(scores, np.mean(cosines, axis=0), atol=1e-6)
    for vectors in (fitted.towers.encode(ASKED), fitted.towers.item_vectors):
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert fitted.towers.reads == {"history"} and fitted.towers.terms_dimension == 0


def test_each_member_is_what_its_seed_alone_would_have_given(fitted, tmp_path):
    for number, member in enumerate(fitted.towers.members):
        seed = 5 + number * SEED_STEP
        alone = joined(tmp_path / str(number), members=(), validate=mean_size, seed=seed)
        np.testing.assert_allclose(alone.towers.item_vectors, member.item_vectors, atol=1e-3)


def test_a_member_may_read_its_history_in_a_way_of_its_own(tmp_path):
    members = (MemberConfig(), MemberConfig(history=MeanHistory(window=3)))
    one, two = joined(tmp_path, towers=TOWERS, members=members, epochs=1).towers.members
    assert (one.config.history.name, two.config.history.name) == ("transformer", "mean")


def test_epochs_are_numbered_through_and_the_whole_is_judged(fitted, folder):
    assert [epoch.number for epoch in fitted.epochs] == [1, 2, 3, 4, 5, 6]
    assert fitted.validation == mean_size(fitted.towers)
    best = fitted.epochs[fitted.best_epoch - 1].validation
    assert best == max(epoch.validation for epoch in fitted.epochs)
    kept = json.loads((folder / "epochs.json").read_text())
    assert [epoch["number"] for epoch in kept] == [1, 2, 3, 4, 5, 6]


def test_a_run_that_was_stopped_goes_on_with_the_member_it_was_at(fitted, tmp_path):
    asked: list[int] = []

    def judge(towers):
        asked.append(1)
        if len(asked) == 5:
            raise KeyboardInterrupt
        return mean_size(towers)

    with pytest.raises(KeyboardInterrupt):
        joined(tmp_path, validate=judge)
    resumed = joined(tmp_path, validate=judge)
    # Three epochs, one more and the interrupted; then two epochs and the whole.
    assert len(asked) == 5 + 2 + 1
    wanted = fitted.towers.item_vectors
    np.testing.assert_allclose(resumed.towers.item_vectors, wanted, atol=1e-3)


def test_they_are_kept_and_come_back(fitted, tmp_path):
    fitted.towers.save(tmp_path)
    back = load_towers(tmp_path)
    assert isinstance(back, JoinedTowers)
    np.testing.assert_array_equal(back.item_vectors, fitted.towers.item_vectors)
    np.testing.assert_array_equal(back.encode(ASKED), fitted.towers.encode(ASKED))
    whole = back.encode(ASKED)
    alone = [back.encode(ASKED.slice(at, at + 1))[0] for at in range(4)]
    np.testing.assert_allclose(alone, whole, atol=1e-6)


@pytest.mark.parametrize("widths", [[], [8], [8, "8"], 2, None, [8, 8, 8]])
def test_widths_that_do_not_fit_are_refused(fitted, tmp_path, widths):
    fitted.towers.save(tmp_path)
    facts = json.loads((tmp_path / "towers.json").read_text()) | {"widths": widths}
    (tmp_path / "towers.json").write_text(json.dumps(facts))
    with pytest.raises(DataError, match="train again"):
        load_towers(tmp_path)


def test_item_vectors_stored_elsewhere_are_used_and_not_written(fitted, tmp_path):
    fitted.towers.save(tmp_path, items="skip")
    assert not list(tmp_path.rglob("items.npy"))
    back = load_towers(tmp_path, fitted.towers.item_vectors)
    assert back.item_vectors is fitted.towers.item_vectors
    assert all(np.shares_memory(m.item_vectors, back.item_vectors) for m in back.members)
    np.testing.assert_allclose(back.encode(ASKED), fitted.towers.encode(ASKED), atol=1e-6)


def test_a_member_that_is_missing_is_an_error(fitted, tmp_path):
    fitted.towers.save(tmp_path)
    (tmp_path / "member-2" / "weights.npz").unlink()
    with pytest.raises(DataError, match="cannot read the towers in .*member-2"):
        load_towers(tmp_path)


def test_towers_that_do_not_belong_together_are_refused(fitted):
    one, two = fitted.towers.members
    with pytest.raises(DataError, match="these members differ"):
        JoinedTowers.of((one, replace(two, item_vectors=two.item_vectors[:-1])))
    with pytest.raises(DataError, match="at least one member"):
        JoinedTowers.of(())


def test_each_member_may_end_at_an_epoch_of_its_own(tmp_path):
    fitted = joined(tmp_path, validate=None, stop_after=[1, 2])
    assert fitted.best_epochs == (1, 2) and fitted.best_epoch == 3 and fitted.validation is None
    assert [epoch.number for epoch in fitted.epochs] == [1, 2, 3]
