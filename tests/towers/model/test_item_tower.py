import numpy as np

from recsys._tf import tf
from recsys.features import FeatureBlock
from recsys.towers import TowersConfig
from recsys.towers.draws import Draws
from recsys.towers.model.item_tower import ItemTower

WARM = np.array([True, True, True, False])
RNG = np.random.default_rng(0)


def block(name: str, mask: list[bool]) -> FeatureBlock:
    vectors = RNG.normal(size=(4, 5)).astype(np.float32)
    vectors[~np.array(mask)] = 0
    return FeatureBlock(vectors, np.array(mask), name)


def vectors(tower: ItemTower, draws: Draws | None = None) -> np.ndarray:
    return tower(tf.range(4), draws=draws).numpy()


def id_table(tower: ItemTower) -> tf.Variable:
    (table,) = (weight for weight in tower.weights if "item_id" in weight.name)
    return table


def test_every_item_with_an_input_has_unit_length():
    tower = ItemTower(TowersConfig(dimension=8), [block("text", [True] * 4)], WARM)
    np.testing.assert_allclose(np.linalg.norm(vectors(tower), axis=1), 1, atol=1e-5)


def test_the_id_of_a_cold_item_is_never_read():
    tower = ItemTower(TowersConfig(dimension=8), [block("text", [True] * 4)], WARM)
    before = vectors(tower)
    table = id_table(tower)
    table.assign(table + 1.0)
    after = vectors(tower)
    np.testing.assert_allclose(after[3], before[3], atol=1e-6)
    assert np.abs(after[:3] - before[:3]).max() > 0.1


def test_a_missing_block_does_not_change_the_vector():
    with_gap = block("image", [True, False, True, True])
    tower = ItemTower(TowersConfig(dimension=8), [with_gap], WARM)
    alone = ItemTower(TowersConfig(dimension=8), [], WARM)
    vectors(tower), vectors(alone)
    id_table(alone).assign(id_table(tower))
    np.testing.assert_allclose(vectors(tower)[1], vectors(alone)[1], atol=1e-6)


def test_a_cold_item_without_content_is_the_zero_vector():
    tower = ItemTower(TowersConfig(dimension=8), [block("text", [True, True, True, False])], WARM)
    assert vectors(tower)[3].tolist() == [0.0] * 8


def test_an_item_with_a_dropped_id_is_encoded_by_its_content():
    config = TowersConfig(dimension=8, id_dropout=0.999999)
    tower = ItemTower(config, [block("text", [True] * 4)], WARM)
    dropped = vectors(tower, draws=Draws(np.array([0, 0])))
    id_table(tower).assign(tf.zeros_like(id_table(tower)))
    np.testing.assert_allclose(dropped, vectors(tower), atol=1e-6)


def test_block_dropout_drops_a_share_of_the_blocks_but_never_all():
    """Each block has a separate direction, which shows whether it was dropped."""
    sizes = 3000
    masks = [np.ones(sizes, bool), np.ones(sizes, bool), np.arange(sizes) % 2 == 0]
    blocks = [
        FeatureBlock(mask[:, None] * np.ones((sizes, 1), np.float32), mask, f"b{at}")
        for at, mask in enumerate(masks)
    ]
    config = TowersConfig(dimension=4, item_id="none", block_dropout=0.4)
    tower = ItemTower(config, blocks, np.ones(sizes, bool))
    tower(tf.range(1))
    for at, each in enumerate(tower.blocks):  # constant blocks are standardised to 0: the bias
        each.weights[1].assign(np.eye(4)[at])
    present = tower(tf.range(sizes), draws=Draws(np.array([3, 0]))).numpy()[:, :3] > 0
    assert present.any(axis=1).all() and not present[~masks[2], 2].any()
    # Of two: both stay with 0.36, else just one; of three the chance of each is 0.6 + 0.4^3 / 3.
    two, three = present[~masks[2], :2], present[masks[2]]
    np.testing.assert_allclose(two.all(axis=1).mean(), 0.36, atol=0.04)
    np.testing.assert_allclose(three.mean(axis=0), 0.6 + 0.4**3 / 3, atol=0.05)
    whole = tower(tf.range(sizes)).numpy()[:, :3] > 0
    assert whole[masks[2]].all() and whole[:, :2].all()
