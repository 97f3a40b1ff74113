"""The set softmax: batches of whole users, the loss, and training on logs without an order."""

import itertools

import numpy as np
import pytest

from recsys._tf import tf, tf_keras
from recsys.errors import ConfigError
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.towers import (
    MeanHistory,
    NoHistory,
    QueryBatch,
    SetSoftmax,
    TowersConfig,
    TrainConfig,
    fit,
    load_towers,
)
from recsys.towers.model.set_model import SetModel, multinomial
from recsys.towers.towers import freeze
from recsys.towers.training.set_batches import group_users, load_sets
from tests.towers.worlds import two_groups

NO_PHRASES = np.zeros((1, 0), np.float32)
LOG = two_groups()
BY_ID = {"user_id": "embedding", "history": NoHistory()}
TRAIN = TrainConfig(
    loss=SetSoftmax(temperature=0.2),
    batch_positions=40,
    learning_rate=0.03,
    warmup_steps=1,
    epochs=8,
    patience=9,
)


def towers_config(**chosen) -> TowersConfig:
    return TowersConfig(**{"dimension": 8, "id_dropout": 0, "terms": "none", **BY_ID, **chosen})


# --- batches


def ragged() -> Interactions:
    """Users with 0, 3, 1 and 5 items."""
    return Interactions.of(
        IdMap.of("user", ["none", "three", "one", "five"]),
        IdMap.of("item", [f"i{row}" for row in range(6)]),
        user=[1, 1, 1, 2, 3, 3, 3, 3, 3],
        item=[0, 1, 2, 5, 5, 4, 3, 2, 1],
        time=np.arange(9),
        weight=[1, 1, 2, 3, 1, 1, 1, 1, 1],
    )


def load_batch(log, loss, *, window=9, epoch=0):
    (batch,) = load_sets(
        log, [np.array([3, 1, 2], np.int32)], loss, window=window, seed=0, epoch=epoch
    )
    return batch


def test_every_user_with_items_is_in_exactly_one_group():
    for positions in (1, 20, 10_000):
        groups = group_users(LOG, positions=positions, seed=0, epoch=1)
        assert sorted(np.concatenate(groups)) == list(range(20))
        assert len(groups) == {1: 20, 20: 5, 10_000: 1}[positions]
    assert sorted(np.concatenate(group_users(ragged(), positions=4, seed=0, epoch=0))) == [1, 2, 3]
    orders = [group_users(LOG, positions=9999, seed=0, epoch=epoch)[0] for epoch in (1, 2)]
    assert orders[0].tolist() != orders[1].tolist()


def test_a_batch_holds_all_items_of_its_users():
    batch = load_batch(ragged(), SetSoftmax(history_dropout=0), window=4)
    assert batch["of"].tolist() == [0] * 5 + [1] * 3 + [2]
    assert batch["item"].tolist() == [5, 4, 3, 2, 1, 0, 1, 2, 5]
    assert batch["history"].tolist() == [[4, 3, 2, 1], [0, 1, 2, 0], [5, 0, 0, 0]]
    assert batch["length"].tolist() == [4, 3, 1]
    np.testing.assert_allclose(batch["weight"], [0.2] * 5 + [0.25, 0.25, 0.5] + [1])
    weights = load_batch(ragged(), SetSoftmax(counts="interactions"))["weight"]
    np.testing.assert_allclose(weights * 12 / 9, [1, 1, 1, 1, 1, 1, 1, 2, 3], rtol=1e-6)


def test_history_dropout_depends_on_seed_and_epoch_and_only_removes_items():
    loss, lengths = SetSoftmax(history_dropout=0.5), []
    for epoch in range(200):
        batch = load_batch(ragged(), loss, epoch=epoch)
        for at, row in enumerate(batch["history"]):
            history = row[: batch["length"][at]].tolist()
            assert set(history) <= set(batch["item"][batch["of"] == at].tolist())
        lengths.append(int(batch["length"].sum()))
    assert np.mean(lengths) / 9 == pytest.approx(0.5, abs=0.05)
    again = load_batch(ragged(), loss, epoch=7)["history"]
    np.testing.assert_array_equal(again, load_batch(ragged(), loss, epoch=7)["history"])


def test_a_window_of_zero_loads_no_history():
    assert load_batch(ragged(), SetSoftmax(), window=0)["history"].shape == (3, 0)


# --- the loss


def test_the_loss_and_its_gradient_equal_the_formula():
    rng = np.random.default_rng(0)
    q, v = rng.normal(size=(3, 4)), rng.normal(size=(6, 4))
    of, positives = np.array([0, 0, 1, 2]), np.array([1, 4, 4, 0])
    weights = np.array([0.5, 0.5, 2.0, 1.0])
    scores = q @ v.T
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    wanted = -(weights * logs[of, positives]).sum() / weights.sum()
    tables = [tf.Variable(part, dtype=tf.float32) for part in (q, v)]
    inputs = {"of": of, "positives": positives, "weights": weights.astype(np.float32)}
    with tf.GradientTape() as tape:
        loss = multinomial(*tables, **inputs)
    gradients = tape.gradient(loss, tables)
    assert float(loss) == pytest.approx(wanted, rel=1e-5)
    with tf.GradientTape() as tape:
        plain = tf.nn.log_softmax(tf.matmul(*tables, transpose_b=True))
        own = tf.gather_nd(plain, np.stack([of, positives], axis=1))
        again = -tf.reduce_sum(own * inputs["weights"]) / weights.sum()
    for mine, theirs in zip(gradients, tape.gradient(again, tables)):
        np.testing.assert_allclose(tf.convert_to_tensor(mine), theirs, atol=1e-6)


# --- training


def group_share(towers, **known) -> float:
    """Share of the user's group in the three best items without an interaction."""
    users = np.arange(len(LOG.users), dtype=np.int32)
    histories = known.pop("histories", [np.array([], np.int32)] * len(users))
    scores = towers.encode(QueryBatch.of(histories, users=users, **known)) @ towers.item_vectors.T
    scores[LOG.user, LOG.item] = -np.inf
    best = np.argsort(-scores, axis=1)[:, :3]
    return float((best % 2 == users[:, None] % 2).mean())


def fit_sets(folder, validate=group_share, **chosen):
    train = chosen.pop("train", TRAIN)
    config = towers_config(**chosen)
    return fit(LOG, [], NO_PHRASES, towers=config, train=train, folder=folder, validate=validate)


INPUTS = {
    "id": {},
    "graph": {"graph": "light-gcn"},
    "spectral": {"id_initial": "spectral", "dimension": 3},
    "graph-spectral": {"graph": "light-gcn", "id_initial": "spectral", "graph_layers": 3},
    "history": {"history": MeanHistory(window=8)},
}


@pytest.mark.parametrize("name", INPUTS)
def test_groups_are_learned_from_sets(tmp_path, name):
    """After the last epoch, so that the asserted figure does not select the epoch.

    A spectral start needs half as many epochs; more epochs overfit the log.
    """
    train = TRAIN.model_copy(update={"epochs": 4 if "spectral" in name else 8})
    epochs = itertools.count()
    fitted = fit_sets(tmp_path, lambda towers: next(epochs), train=train, **INPUTS[name])
    assert fitted.best_epoch == train.epochs
    histories = [LOG.history(user) for user in range(20)]
    assert group_share(fitted.towers, histories=histories) > 0.95
    assert fitted.epochs[-1].loss < fitted.epochs[0].loss


def test_a_history_alone_serves_an_unknown_user(tmp_path):
    histories = [LOG.history(user) for user in range(20)]

    def validate(towers):
        return group_share(towers, histories=histories, user_known=np.zeros(20, bool))

    fitted = fit_sets(tmp_path, validate, user_id="none", history=MeanHistory(window=8))
    assert validate(fitted.towers) > 0.95


def test_a_resumed_run_repeats_the_uninterrupted_one(tmp_path):
    class Killed(Exception):
        pass

    calls = itertools.count(1)

    def kill_in_epoch_2(towers):
        if next(calls) == 2:
            raise Killed
        return group_share(towers)

    train = TRAIN.model_copy(update={"epochs": 3})
    options = {"train": train, **INPUTS["history"]}
    with pytest.raises(Killed):
        fit_sets(tmp_path / "killed", kill_in_epoch_2, **options)
    resumed, whole = (
        fit_sets(tmp_path / "killed", **options),
        fit_sets(tmp_path / "whole", **options),
    )
    losses = [[epoch.loss for epoch in run.epochs] for run in (resumed, whole)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)


def test_frozen_towers_hold_the_ids_after_propagation(tmp_path):
    config = towers_config(graph="light-gcn")
    model = SetModel(config, TRAIN, LOG, [], NO_PHRASES)
    users = np.arange(20, dtype=np.int32)
    (batch,) = load_sets(LOG, [users], TRAIN.loss, window=0, seed=0, epoch=0)
    model.compute_loss({name: tf.constant(part) for name, part in batch.items()})
    model.query_tower.user_table.assign(np.random.default_rng(0).normal(size=(20, 8)))
    towers = freeze(config, model, {"users": 20, "terms": 0})
    of_users, of_items = model.tables()
    assert np.abs(of_users - model.query_tower.user_table).max() > 0.1
    items = tf.math.l2_normalize(of_items, axis=1).numpy()
    np.testing.assert_allclose(towers.item_vectors[LOG.warm], items[LOG.warm], atol=1e-5)
    queries = QueryBatch.of([np.array([], np.int32)] * 20, users=users)
    (start,) = (w for w in model.query_tower.weights if "start" in w.name)
    wanted = tf.math.l2_normalize(start + of_users, axis=1)
    np.testing.assert_allclose(towers.encode(queries), wanted, atol=1e-5)
    towers.save(tmp_path)
    np.testing.assert_array_equal(load_towers(tmp_path).encode(queries), towers.encode(queries))
    alone = [towers.encode(queries.slice(at, at + 1))[0] for at in range(20)]
    np.testing.assert_allclose(alone, towers.encode(queries), atol=1e-6)


def test_the_set_softmax_refuses_terms(tmp_path):
    phrases = np.ones((2, 3), np.float32)
    with pytest.raises(ConfigError, match="knows users and no moments.*terms = 'none'"):
        SetModel(TowersConfig(**BY_ID), TRAIN, LOG, [], phrases)


def test_popularity_scales_frozen_items_but_not_their_use_in_histories():
    users = np.arange(20, dtype=np.int32)
    batch, both = {}, []
    for popularity in (0.0, 0.5):
        config = towers_config(popularity=popularity, **INPUTS["history"])
        tf_keras.utils.set_random_seed(1)
        model = SetModel(config, TRAIN, LOG, [], NO_PHRASES)
        (batch,) = load_sets(LOG, [users], TRAIN.loss, window=9, seed=0, epoch=0)
        model.compute_loss({name: tf.constant(part) for name, part in batch.items()})
        both.append(freeze(config, model, {"users": 20, "terms": 0}))
    plain, longer = both
    counts = np.maximum(LOG.item_counts, 1)
    wanted = plain.item_vectors * np.sqrt(counts / counts.max())[:, None]
    np.testing.assert_allclose(longer.item_vectors, wanted, atol=1e-6)
    queries = QueryBatch.of([np.array([1, 3], np.int32)])
    np.testing.assert_allclose(longer.encode(queries), plain.encode(queries), atol=1e-5)
