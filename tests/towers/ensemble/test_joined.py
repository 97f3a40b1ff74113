"""Ensembles of towers whose vectors are concatenated."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.towers import JoinedTowers, MeanHistory, MemberConfig, QueryBatch, load_towers
from recsys.towers.ensemble.members import SEED_STEP
from tests.towers.training.test_fitting import BY_MEAN, TOWERS, train


def mean_size(towers) -> float:
    """Figure of the item vectors alone; encoding queries would compile the towers per epoch."""
    return float(np.abs(towers.item_vectors).mean())


TWO = (MemberConfig(), MemberConfig())
BATCH = QueryBatch.of([np.array([at, at + 1], np.int32) for at in range(4)])


def fit_joined(folder, **changes):
    options = {"towers": BY_MEAN, "members": TWO, "epochs": 3, "seed": 5}
    return train(folder, **options | changes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("members")


@pytest.fixture(scope="module")
def fitted(folder):
    return fit_joined(folder, validate=mean_size)


def test_the_score_is_the_mean_of_the_members_cosines(fitted):
    one, two = fitted.towers.members
    scores = fitted.towers.encode(BATCH) @ fitted.towers.item_vectors.T
    cosines = [each.encode(BATCH) @ each.item_vectors.T for each in (one, two)]
    assert not np.allclose(*cosines, atol=1e-2)
    np.testing.assert_allclose(scores, np.mean(cosines, axis=0), atol=1e-6)
    for vectors in (fitted.towers.encode(BATCH), fitted.towers.item_vectors):
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert fitted.towers.reads == {"history"} and fitted.towers.terms_dimension == 0


def test_each_member_equals_towers_trained_alone_with_its_seed(fitted, tmp_path):
    for number, member in enumerate(fitted.towers.members):
        seed = 5 + number * SEED_STEP
        alone = fit_joined(tmp_path / str(number), members=(), validate=mean_size, seed=seed)
        np.testing.assert_allclose(alone.towers.item_vectors, member.item_vectors, atol=1e-3)


def test_members_can_have_different_history_encoders(tmp_path):
    members = (MemberConfig(), MemberConfig(history=MeanHistory(window=3)))
    one, two = fit_joined(tmp_path, towers=TOWERS, members=members, epochs=1).towers.members
    assert (one.config.history.name, two.config.history.name) == ("transformer", "mean")


def test_epochs_are_numbered_across_members_and_the_ensemble_is_validated(fitted, folder):
    assert [epoch.number for epoch in fitted.epochs] == [1, 2, 3, 4, 5, 6]
    assert fitted.validation == mean_size(fitted.towers)
    best = fitted.epochs[fitted.best_epoch - 1].validation
    assert best == max(epoch.validation for epoch in fitted.epochs)
    stored = json.loads((folder / "epochs.json").read_text())
    assert [epoch["number"] for epoch in stored] == [1, 2, 3, 4, 5, 6]


def test_an_interrupted_run_resumes_at_the_same_member(fitted, tmp_path):
    calls: list[int] = []

    def validate(towers):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return mean_size(towers)

    with pytest.raises(KeyboardInterrupt):
        fit_joined(tmp_path, validate=validate)
    resumed = fit_joined(tmp_path, validate=validate)
    # Three epochs, one more and the interrupted one; then two epochs and the ensemble.
    assert len(calls) == 5 + 2 + 1
    wanted = fitted.towers.item_vectors
    np.testing.assert_allclose(resumed.towers.item_vectors, wanted, atol=1e-3)


def test_a_loaded_ensemble_equals_the_saved_one(fitted, tmp_path):
    fitted.towers.save(tmp_path)
    loaded = load_towers(tmp_path)
    assert isinstance(loaded, JoinedTowers)
    np.testing.assert_array_equal(loaded.item_vectors, fitted.towers.item_vectors)
    np.testing.assert_array_equal(loaded.encode(BATCH), fitted.towers.encode(BATCH))
    whole = loaded.encode(BATCH)
    alone = [loaded.encode(BATCH.slice(at, at + 1))[0] for at in range(4)]
    np.testing.assert_array_equal(alone, whole)
    np.testing.assert_allclose(loaded.encode_many(BATCH), whole, atol=1e-6)


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
    loaded = load_towers(tmp_path, fitted.towers.item_vectors)
    assert loaded.item_vectors is fitted.towers.item_vectors
    assert all(np.shares_memory(m.item_vectors, loaded.item_vectors) for m in loaded.members)
    np.testing.assert_allclose(loaded.encode(BATCH), fitted.towers.encode(BATCH), atol=1e-6)


def test_a_missing_member_is_refused(fitted, tmp_path):
    fitted.towers.save(tmp_path)
    (tmp_path / "member-2" / "weights.npz").unlink()
    with pytest.raises(DataError, match="cannot read the towers in .*member-2"):
        load_towers(tmp_path)


def test_members_of_different_items_and_no_members_are_refused(fitted):
    one, two = fitted.towers.members
    with pytest.raises(DataError, match="these members differ"):
        JoinedTowers.of((one, replace(two, item_vectors=two.item_vectors[:-1])))
    with pytest.raises(DataError, match="at least one member"):
        JoinedTowers.of(())


def test_each_member_can_stop_after_a_different_epoch(tmp_path):
    fitted = fit_joined(tmp_path, validate=None, stop_after=[1, 2])
    assert fitted.best_epochs == (1, 2) and fitted.best_epoch == 3 and fitted.validation is None
    assert [epoch.number for epoch in fitted.epochs] == [1, 2, 3]
