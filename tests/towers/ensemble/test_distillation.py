"""Distillation: the item filter, the teacher's targets and the training of the student."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from recsys._tf import tf
from recsys.errors import ConfigError
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.towers import (
    Distillation,
    ItemFilterConfig,
    MeanHistory,
    NoHistory,
    QueryBatch,
    SetSoftmax,
    Towers,
    TowersConfig,
    TrainConfig,
    fit,
    load_towers,
)
from recsys.towers.ensemble.distillation.item_filter import ItemFilter
from recsys.towers.ensemble.distillation.student import Student
from recsys.towers.ensemble.distillation.targets import DistillationTargets
from tests.features.tiny_log import ITEMS, LOG, USERS, A, R
from tests.towers.worlds import two_groups

INTERACTED = R > 0
ALL_USERS = np.arange(USERS, dtype=np.int32)
GF_CF = ItemFilterConfig(of_users=1, of_history=0.5, of_items=0.5)
RNG = np.random.default_rng(7)
QUERIES, VECTORS = (RNG.normal(size=(n, 3)).astype(np.float32) for n in (USERS, ITEMS))


# --- the filter


def test_the_filter_with_gf_cf_powers_equals_its_formula():
    wanted = (R / np.sqrt(np.maximum(R.sum(0), 1))) @ R.T
    wanted = (wanted / np.maximum(R.sum(1), 1)) @ (R / np.sqrt(np.maximum(R.sum(0), 1)))
    np.testing.assert_allclose(ItemFilter(LOG, GF_CF).scores(ALL_USERS), wanted, rtol=1e-5)
    # This is R A' A of the normalised A, up to the user's degree, which does not affect ranks.
    np.testing.assert_allclose(ItemFilter(LOG, GF_CF).scores(ALL_USERS), R @ A.T @ A, rtol=1e-5)


@pytest.mark.parametrize("power", ["of_users", "of_history", "of_items"])
def test_each_power_damps_one_degree(power):
    plain = {"of_users": 0, "of_history": 0, "of_items": 0}
    n, m = np.maximum(R.sum(1), 1), np.maximum(R.sum(0), 1)
    sides = {
        "of_users": lambda: R @ (R.T / n**0.7) @ R,
        "of_history": lambda: (R / m**0.7) @ R.T @ R,
        "of_items": lambda: R @ R.T @ (R / m**0.7),
    }
    scores = ItemFilter(LOG, ItemFilterConfig(**{**plain, power: 0.7})).scores(ALL_USERS)
    np.testing.assert_allclose(scores, sides[power](), rtol=1e-5)


WALKS = {"a": "wxyz", "b": "yxw", "c": "xzxy"}  # c interacted with x twice
LETTERS = "wxyz"


def walk_log():
    users, items = IdMap.of("user", list(WALKS)), IdMap.of("item", list(LETTERS))
    interacted = [
        (at, LETTERS.index(item)) for at, walk in enumerate(WALKS.values()) for item in walk
    ]
    user, item = zip(*interacted)
    return Interactions.of(users, items, user=user, item=item, time=range(len(interacted)))


def by_hand(*, recency: float, nearness: float, window: int, powers: tuple[float, float, float]):
    """The sum in the docstring of the filter, one summand after another."""
    n = [len(set(walk)) for walk in WALKS.values()]
    m = [sum(letter in walk for walk in WALKS.values()) for letter in LETTERS]
    scores = np.zeros((3, 4))
    for (u, own), (w, walk) in itertools.product(enumerate(WALKS.values()), repeat=2):
        for (p, i), (q, j) in itertools.permutations(enumerate(walk), 2):
            if i in own and i != j and abs(p - q) <= window:
                i_at, j_at = LETTERS.index(i), LETTERS.index(j)
                scores[u, j_at] += (
                    (len(own) - own.rindex(i)) ** -recency
                    * n[w] ** -powers[0]
                    * abs(p - q) ** -nearness
                    * m[i_at] ** -powers[1]
                    * m[j_at] ** -powers[2]
                )
    return scores


@pytest.mark.parametrize("window", [1, 2, 50])
@pytest.mark.parametrize("recency", [0.0, 0.5])
def test_ordered_scores_equal_the_sum(window, recency):
    order = {"recency": recency, "nearness": 0.7, "window": window}
    config = ItemFilterConfig(of_users=0.3, of_history=0.8, of_items=0.2, **order)
    np.testing.assert_allclose(
        ItemFilter(walk_log(), config).scores(np.arange(3, dtype=np.int32)),
        by_hand(powers=(0.3, 0.8, 0.2), **order),
        rtol=1e-5,
    )


def test_recent_items_have_more_weight():
    """Of two history items with different neighbours, the later one has the larger weight."""
    users, items = IdMap.of("user", ["u", "v", "w"]), IdMap.of("item", ["a", "b", "A", "B"])
    log = Interactions.of(
        users, items, user=[0, 0, 1, 1, 2, 2], item=[0, 1, 0, 2, 1, 3], time=[1, 2, 1, 2, 1, 2]
    )
    by_age = ItemFilter(log, ItemFilterConfig(recency=1.0)).scores(np.array([0], np.int32))[0]
    equal = ItemFilter(log, ItemFilterConfig()).scores(np.array([0], np.int32))[0]
    assert equal[2] == equal[3] and by_age[3] == pytest.approx(2 * by_age[2])


# --- the targets


def teacher(config: Distillation) -> np.ndarray:
    """Teacher's scores of warm items without an interaction, 0 for the others."""
    powers = np.exp(QUERIES @ VECTORS.T / config.temperature)
    sides = [powers, ItemFilter(LOG, config.item_filter).scores(ALL_USERS)]
    sides = [part / np.maximum(np.sqrt((part**2).mean(1, keepdims=True)), 1e-20) for part in sides]
    scores = (1 - config.filter_share) * sides[0] + config.filter_share * sides[1]
    return np.where(INTERACTED | ~LOG.warm, 0, scores)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("items", [1, 2, ITEMS])
def test_targets_are_the_best_items_of_the_teacher_in_proportion(items, share):
    config = Distillation(items=items, filter_share=share, sharpness=2, temperature=1)
    targets, scores = DistillationTargets.of(LOG, QUERIES, VECTORS, config), teacher(config)
    for user in ALL_USERS:
        part = slice(*targets.offsets[user : user + 2])
        best = np.sort(scores[user])[::-1][:items]
        wanted = best[best > 0] ** 2
        np.testing.assert_allclose(
            np.sort(targets.shares[part])[::-1], wanted / max(wanted.sum(), 1e-9), rtol=1e-4
        )
        assert (
            not INTERACTED[user, targets.items[part]].any() and LOG.warm[targets.items[part]].all()
        )
        assert (np.diff(targets.items[part]) > 0).all()


def test_the_number_of_users_at_once_does_not_change_the_targets(monkeypatch):
    whole = DistillationTargets.of(LOG, QUERIES, VECTORS, Distillation())
    monkeypatch.setattr("recsys.towers.ensemble.distillation.targets._AT_ONCE", 1)
    pieces = DistillationTargets.of(LOG, QUERIES, VECTORS, Distillation())
    np.testing.assert_array_equal(pieces.offsets, whole.offsets)
    np.testing.assert_array_equal(pieces.items, whole.items)
    np.testing.assert_allclose(pieces.shares, whole.shares, rtol=1e-5)


# --- the loss


def test_the_loss_is_the_cross_entropy_over_items_without_an_interaction():
    student = Student(QUERIES, VECTORS, LOG)
    users = np.array([2, 0], np.int32)
    batch = {
        "user": users,
        "of": [0, 1, 1],
        "item": [1, 2, 3],
        "weight": np.array([1, 0.25, 0.75], np.float32),
        "seen_of": np.nonzero(INTERACTED[users])[0].astype(np.int32),
        "seen_item": np.nonzero(INTERACTED[users])[1].astype(np.int32),
    }
    scores = np.where(INTERACTED | ~LOG.warm, -np.inf, QUERIES @ VECTORS.T)[users]
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    wanted = -(logs[0, 1] + 0.25 * logs[1, 2] + 0.75 * logs[1, 3]) / 2
    loss = student.compute_loss({name: tf.constant(part) for name, part in batch.items()})
    assert float(loss) == pytest.approx(wanted, rel=1e-5)


def test_a_batch_without_targets_has_loss_zero():
    student = Student(QUERIES, VECTORS, LOG)
    batch = dict.fromkeys(("of", "item", "seen_of", "seen_item"), tf.zeros((0,), tf.int32))
    batch |= {"user": [3], "weight": tf.zeros((0,))}
    assert float(student.compute_loss(batch)) == 0


# --- training

TRAINING_LOG = two_groups()
BY_ID = TowersConfig(
    dimension=4, user_id="embedding", history=NoHistory(), terms="none", id_dropout=0
)
DISTILLATION = Distillation(items=3, temperature=0.5, epochs=6, learning_rate=0.2)


def fit_student(folder, validate=None, *, towers=BY_ID, stop_after=None, **chosen):
    train = TrainConfig(
        loss=SetSoftmax(temperature=0.2),
        batch_positions=40,
        learning_rate=0.03,
        warmup_steps=1,
        epochs=4,
        patience=9,
        **{"distillation": DISTILLATION, **chosen},
    )
    none = np.zeros((1, 0), np.float32)
    return fit(
        TRAINING_LOG,
        [],
        none,
        towers=towers,
        train=train,
        folder=folder,
        validate=validate,
        stop_after=stop_after,
    )


def best_lists(towers) -> np.ndarray:
    """Three best items of each user among those without an interaction."""
    users = np.arange(len(TRAINING_LOG.users), dtype=np.int32)
    batch = QueryBatch.of([np.array([], np.int32)] * len(users), users=users)
    scores = towers.encode(batch) @ towers.item_vectors.T
    scores[TRAINING_LOG.user, TRAINING_LOG.item] = -np.inf
    return np.sort(np.argsort(-scores, axis=1)[:, :3], axis=1)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    count = itertools.count()
    return fit_student(
        tmp_path_factory.mktemp("targets"), lambda towers: next(count), members=({}, {})
    )


def test_the_student_ranks_the_items_of_the_filter_first(fitted):
    """The filter proposes exactly the remaining items of the user's group."""
    assert isinstance(fitted.towers, Towers) and fitted.towers.reads == {"user"}
    assert fitted.towers.item_vectors.shape == (16, 4)
    users = np.arange(len(TRAINING_LOG.users))
    assert (best_lists(fitted.towers) % 2 == users[:, None] % 2).all()
    lengths = np.linalg.norm(fitted.towers.item_vectors, axis=1)
    assert lengths.max() == pytest.approx(1, abs=1e-6) and lengths.min() < 0.999


def test_epochs_of_the_student_follow_those_of_the_members(fitted):
    assert [epoch.number for epoch in fitted.epochs] == list(range(1, 4 + 4 + 6 + 1))
    assert fitted.best_epochs == (4, 4, 6) and fitted.best_epoch == 14
    assert fitted.validation == fitted.epochs[-1].validation
    assert fitted.epochs[13].loss < fitted.epochs[8].loss


def test_a_loaded_student_equals_the_saved_one(fitted, tmp_path):
    fitted.towers.save(tmp_path)
    loaded = load_towers(tmp_path)
    np.testing.assert_array_equal(loaded.item_vectors, fitted.towers.item_vectors)
    np.testing.assert_array_equal(best_lists(loaded), best_lists(fitted.towers))


def test_a_resumed_distillation_repeats_the_uninterrupted_one(tmp_path):
    class Killed(Exception):
        pass

    calls = itertools.count(1)

    def kill_in_distillation(towers):
        if next(calls) == 4 + 3:
            raise Killed
        return 0.0

    with pytest.raises(Killed):
        fit_student(tmp_path / "killed", kill_in_distillation)
    resumed, whole = (
        fit_student(tmp_path / name, lambda towers: 0.0) for name in ("killed", "whole")
    )
    assert len(resumed.epochs) == len(whole.epochs) == 10
    losses = [[epoch.loss for epoch in run.epochs] for run in (resumed, whole)]
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_distillation_can_stop_after_a_given_epoch(tmp_path):
    fitted = fit_student(tmp_path, stop_after=[2, 3])
    assert fitted.best_epochs == (2, 3) and fitted.validation is None
    for wrong in ([2], [2, 7], [5, 3], [2, 3, 1]):
        with pytest.raises(ConfigError, match="one for the student"):
            fit_student(tmp_path, stop_after=wrong)


def test_distillation_without_user_ids_is_refused(tmp_path):
    by_history = BY_ID.model_copy(update={"user_id": "none", "history": MeanHistory(window=4)})
    with pytest.raises(ConfigError, match="towers.user_id is 'none'"):
        fit_student(tmp_path, towers=by_history)
    assert not list(tmp_path.iterdir())
