"""Properties of every combination of item inputs, and of ids as differences."""

import itertools

import numpy as np
import pytest

from recsys._tf import tf, tf_keras
from recsys.features import FeatureBlock
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.towers import MeanHistory, QueryBatch, TowersConfig, TrainConfig, load_towers
from recsys.towers.draws import Draws
from recsys.towers.model.item_tower import ItemTower
from recsys.towers.model.position_model import TwoTowerModel
from recsys.towers.towers import freeze
from recsys.towers.training.batches import load_batches, training_batches

ITEMS, COLD = 7, 5  # item 5 is cold, item 6 is cold and has no content
RNG = np.random.default_rng(0)
WARM = np.arange(ITEMS) < COLD


def block(name: str, width: int, lacking: tuple[int, ...] = (6,)) -> FeatureBlock:
    mask = ~np.isin(np.arange(ITEMS), lacking)
    vectors = RNG.normal(size=(ITEMS, width)).astype(np.float32) * mask[:, None]
    return FeatureBlock(vectors, mask, name)


TEXT, IMAGE = block("text", 5), block("image", 3, lacking=(1, 6))
VARIANTS = [
    dict(zip(("item_id", "projection"), variant))
    for variant in itertools.product(["embedding", "delta"], ["linear", "mlp"])
]
every_variant = pytest.mark.parametrize(
    "variant", VARIANTS, ids=lambda variant: "-".join(variant.values())
)


def build_tower(variant, **more) -> ItemTower:
    tf_keras.utils.set_random_seed(1)
    return ItemTower(TowersConfig(dimension=6, **variant, **more), [TEXT, IMAGE], WARM)


def vectors(tower: ItemTower) -> np.ndarray:
    return tower(tf.range(ITEMS)).numpy()


def pulled(tower: ItemTower, steps: int, towards: np.ndarray) -> ItemTower:
    """The tower after some training steps of its warm vectors towards the given ones."""
    optimizer = tf_keras.optimizers.Adam(0.05)
    tower(tf.range(ITEMS))
    for step in range(steps):
        with tf.GradientTape() as tape:
            away = tower(tf.range(COLD), draws=Draws(np.array([0, step]))) - towards[:COLD]
            loss = tf.reduce_sum(away**2) + sum(tower.losses)
        weights = tower.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return tower


TOWARDS = np.eye(ITEMS, 6).astype(np.float32)


@every_variant
def test_every_weight_is_trained(variant):
    tower = build_tower(variant, id_dropout=0)
    vectors(tower)
    before = [weight.numpy() for weight in tower.trainable_variables]
    pulled(tower, 2, TOWARDS)
    for weight, was in zip(tower.trainable_variables, before):
        assert np.abs(weight.numpy() - was).max() > 1e-4, weight.name


@every_variant
def test_vectors_do_not_depend_on_the_batch_and_have_length_1(variant):
    tower = pulled(build_tower(variant), 2, TOWARDS)
    together = vectors(tower)
    alone = np.concatenate([tower(tf.constant([row])).numpy() for row in range(ITEMS)])
    np.testing.assert_allclose(alone, together, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together[:6], axis=1), 1, atol=1e-5)


@every_variant
def test_a_cold_item_is_encoded_by_its_content_without_its_id(variant):
    tower = pulled(build_tower(variant), 2, TOWARDS)
    before = vectors(tower)
    (table,) = (weight for weight in tower.weights if "item_id" in weight.name)
    table.assign(table + 1.0)
    after = vectors(tower)
    np.testing.assert_array_equal(after[COLD:], before[COLD:])
    assert np.abs(after[:COLD] - before[:COLD]).max() > 0.05
    assert after[6].tolist() == [0.0] * 6  # without content: the zero vector


LOG = Interactions.of(
    IdMap.of("user", [f"u{row}" for row in range(4)]),
    IdMap.of("item", [f"i{row}" for row in range(ITEMS)]),
    user=np.repeat(np.arange(4), 5),
    item=np.tile(np.arange(COLD), 4),
    time=np.tile(np.arange(5), 4),
)


def frozen_towers(**chosen):
    """Frozen towers and their model."""
    config = TowersConfig(dimension=6, terms="none", **chosen)
    model = TwoTowerModel(config, TrainConfig(), LOG, [TEXT, IMAGE], np.zeros((1, 0), np.float32))
    (batch,) = load_batches(
        LOG, training_batches(LOG, window=4, positions=99, seed=0, epoch=0), seed=0, epoch=0
    )
    model.compute_loss({name: tf.constant(part) for name, part in batch.items()})
    return freeze(config, model, {"users": 4, "terms": 0}), model


@every_variant
def test_loaded_towers_hold_the_saved_item_vectors(variant, tmp_path):
    towers, model = frozen_towers(history=MeanHistory(window=4), **variant)
    towers.save(tmp_path)
    loaded = load_towers(tmp_path)
    np.testing.assert_array_equal(loaded.item_vectors, towers.item_vectors)
    np.testing.assert_allclose(loaded.item_vectors, vectors(model.item_tower), atol=1e-6)


def test_loaded_towers_encode_users_and_histories_as_the_saved_ones(tmp_path):
    towers, model = frozen_towers(user_id="embedding", history=MeanHistory(window=4))
    model.query_tower.user_table.assign(RNG.normal(size=(4, 6)))
    towers = freeze(towers.config, model, towers.sizes)
    towers.save(tmp_path)
    queries = QueryBatch.of(
        [np.array([1, 2], np.int32), np.array([], np.int32)], users=np.array([2, 0], np.int32)
    )
    np.testing.assert_array_equal(load_towers(tmp_path).encode(queries), towers.encode(queries))
    alone = [towers.encode(queries.slice(at, at + 1))[0] for at in range(2)]
    np.testing.assert_allclose(alone, towers.encode(queries), atol=1e-6)


# --- ids as differences


def test_a_warm_item_starts_as_a_cold_one_with_its_content():
    twin = FeatureBlock(TEXT.vectors[[0, 1, 2, 3, 4, 0, 6]], TEXT.mask, "text")
    tower = ItemTower(TowersConfig(dimension=6, item_id="delta"), [twin], WARM)
    np.testing.assert_allclose(vectors(tower)[0], vectors(tower)[COLD], atol=1e-6)


def test_a_warm_item_without_content_does_not_start_at_zero():
    tower = ItemTower(TowersConfig(dimension=6, item_id="delta"), [IMAGE], WARM)
    assert np.linalg.norm(vectors(tower)[1]) == pytest.approx(1, abs=1e-5)


def test_delta_l2_adds_the_mean_squared_difference_to_the_loss():
    tower = build_tower({"item_id": "delta"}, id_dropout=0, delta_l2=0.5)
    vectors(tower)
    assert tower.losses == []
    (table,) = (weight for weight in tower.weights if "item_id" in weight.name)
    table.assign(2.0 * tf.ones_like(table))
    rows = tf.constant([0, 2, COLD])  # the cold one has no difference
    tower(rows, draws=Draws(np.array([0, 0])))
    assert float(sum(tower.losses)) == pytest.approx(0.5 * (24 + 24 + 0) / 3)


def test_a_stronger_delta_l2_keeps_items_nearer_to_their_content():
    moved = []
    for strength in (0.0, 100.0):
        variant = {"item_id": "delta"}
        tower = pulled(build_tower(variant, id_dropout=0, delta_l2=strength), 30, TOWARDS)
        (table,) = (weight for weight in tower.weights if "item_id" in weight.name)
        moved.append(float(np.linalg.norm(table.numpy()[:COLD], axis=1).mean()))
    assert moved[0] > 0.5 and moved[1] < 0.05
