"""Items of frozen towers: trained items equal the stored vectors, others use their content."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys._tf import tf
from recsys.errors import DataError
from recsys.features import FeatureBlock
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.towers import (
    JoinedTowers,
    MeanHistory,
    QueryBatch,
    TowersConfig,
    TrainConfig,
    load_towers,
)
from recsys.towers.model.block_projections import ENOUGH
from recsys.towers.model.frozen_items import FrozenProjection
from recsys.towers.model.position_model import TwoTowerModel
from recsys.towers.towers import freeze, towers_from_tables
from recsys.towers.training.batches import load_batches, training_batches

ITEMS, WARM, USERS = 40, 30, 12
RNG = np.random.default_rng(3)
LOG = Interactions.of(
    IdMap.of("user", [f"u{row}" for row in range(USERS)]),
    IdMap.of("item", [f"i{row}" for row in range(ITEMS)]),
    user=np.repeat(np.arange(USERS), 20),
    item=np.concatenate([np.arange(WARM), RNG.integers(0, WARM, USERS * 20 - WARM)]),
    time=np.tile(np.arange(20), USERS),
)


def block(name: str, vectors: np.ndarray, lacking: tuple[int, ...] = ()) -> FeatureBlock:
    mask = ~np.isin(np.arange(len(vectors)), lacking)
    return FeatureBlock((vectors * mask[:, None]).astype(np.float32), mask, name)


WORDS = np.where(RNG.random((ITEMS, ENOUGH + 60)) < 0.02, RNG.random((ITEMS, ENOUGH + 60)), 0)
TEXT = block("text", RNG.normal(1, 2, (ITEMS, 5)), lacking=(3, 39))
BAG = block("text.bag-of-words", np.hstack([WORDS, RNG.normal(2, 1, (ITEMS, 3))]), (7, 39))
BLOCKS = [TEXT, BAG]
CONFIGS = {
    "content": {"item_id": "none"},
    "ids": {"item_id": "embedding"},
    "delta": {"item_id": "delta"},
    "mlp": {"projection": "mlp"},
    "sparse": {"blocks": ("text.bag-of-words",)},
    "sparse-mlp": {"blocks": ("text.bag-of-words",), "projection": "mlp"},
    "light-gcn": {"graph": "light-gcn", "user_id": "embedding", "popularity": 0.1},
    "popularity": {"popularity": 0.3},
}


def frozen_towers(seed: int = 0, **chosen):
    """Frozen towers with random weights, including the id vectors of cold items."""
    tf.keras.utils.set_random_seed(seed)
    config = TowersConfig(dimension=6, terms="none", history=MeanHistory(window=4), **chosen)
    blocks = [each for each in BLOCKS if config.blocks is None or each.name in config.blocks]
    model = TwoTowerModel(config, TrainConfig(), LOG, blocks, np.zeros((1, 0), np.float32))
    batch, *_ = load_batches(
        LOG, training_batches(LOG, window=4, positions=999, seed=0, epoch=0), seed=0, epoch=0
    )
    model.compute_loss({name: tf.constant(part) for name, part in batch.items()})
    rng = np.random.default_rng(seed)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return freeze(config, model, {"users": USERS, "terms": 0})


def reloaded(towers, folder):
    """The towers, saved without the item vectors and loaded."""
    towers.save(folder, items="skip")
    return load_towers(folder, towers.item_vectors)


def joined():
    return JoinedTowers.of(
        [frozen_towers(1, **CONFIGS["delta"]), frozen_towers(2, **CONFIGS["sparse"])]
    )


@pytest.fixture(params=[*CONFIGS, "joined"])
def towers(request, tmp_path):
    made = joined() if request.param == "joined" else frozen_towers(**CONFIGS[request.param])
    return reloaded(made, tmp_path)


def blocks_at(rows) -> list[FeatureBlock]:
    return [each.take(np.asarray(rows, np.int32)) for each in BLOCKS]


def test_trained_items_equal_the_stored_vectors(towers, monkeypatch):
    rows = RNG.permutation(ITEMS).astype(np.int32)
    vectors = towers.encode_items(blocks_at(rows), rows)
    np.testing.assert_allclose(vectors, towers.item_vectors[rows], atol=2e-6)
    monkeypatch.setattr("recsys.towers.model.frozen_items.NUMBERS_PER_CALL", 1000)
    np.testing.assert_allclose(towers.encode_items(blocks_at(rows), rows), vectors, atol=1e-6)


def test_an_unknown_item_equals_a_cold_one_with_its_content(towers):
    cold = np.arange(WARM, ITEMS)
    vectors = towers.encode_items(blocks_at(cold))
    np.testing.assert_allclose(vectors, towers.item_vectors[cold], atol=2e-6)
    assert vectors[:-1].any(axis=1).all() and not vectors[-1].any(), "without content: zeros"
    assert towers.encode_items(blocks_at([])).shape == (0, towers.item_vectors.shape[1])


def test_an_unknown_item_has_no_id_vector():
    towers = frozen_towers(**CONFIGS["ids"])
    rows = np.arange(WARM)
    assert np.abs(towers.encode_items(blocks_at(rows)) - towers.item_vectors[rows]).max() > 0.1
    by_content = frozen_towers(**CONFIGS["content"])
    vectors = by_content.encode_items(blocks_at(rows))
    np.testing.assert_allclose(vectors, by_content.item_vectors[rows], atol=2e-6)


@pytest.mark.parametrize("kind", ["popularity", "joined", "content"])
def test_a_history_can_hold_an_item_newer_than_training(kind, tmp_path):
    towers = reloaded(joined() if kind == "joined" else frozen_towers(**CONFIGS[kind]), tmp_path)
    matrix = np.vstack([towers.item_vectors, towers.encode_items(blocks_at([31]))])
    np.save(tmp_path / "newer.npy", matrix)
    mapped = np.load(tmp_path / "newer.npy", mmap_mode="r")
    newer, older = ([np.array([2, row], np.int32)] for row in (ITEMS, 31))
    found = towers.encode(QueryBatch.of(newer), mapped)
    np.testing.assert_allclose(found, towers.encode(QueryBatch.of(older)), atol=1e-5)
    for row in (ITEMS, -1):
        with pytest.raises(DataError, match=f"rows of the 40 item vectors; got {row}: drop"):
            towers.encode(QueryBatch.of([np.array([], np.int32), np.array([2, row], np.int32)]))
    for wrong in (np.zeros((99, 3), np.float32), mapped.astype(np.float64), mapped[0]):
        with pytest.raises(DataError, match="reads item vectors of .* dimensions, float32; got"):
            towers.encode(QueryBatch.of(older), wrong)
    matrix[31, 0] = np.inf
    with pytest.raises(DataError, match="must be finite"):
        towers.encode(QueryBatch.of(older), matrix)


@pytest.mark.parametrize("kind", ["popularity", "content", "joined"])
def test_a_history_item_without_content_is_a_vector_of_zeros(kind):
    towers = joined() if kind == "joined" else frozen_towers(**CONFIGS[kind])
    assert not towers.item_vectors[39].any()
    alone, both = (
        towers.encode(QueryBatch.of([np.array(rows, np.int32)])) for rows in ([39], [39, 5])
    )
    width = towers.item_vectors.shape[1]
    np.testing.assert_allclose(np.linalg.norm(np.vstack([alone, both]), axis=1), 1, atol=1e-5)
    zeros = towers.encode(QueryBatch.of([np.array([0], np.int32)]), np.zeros((1, width), "f4"))
    np.testing.assert_array_equal(alone, zeros)


def test_histories_normalise_very_short_item_vectors():
    towers = frozen_towers(**CONFIGS["popularity"])
    batch = QueryBatch.of([np.array([3, 5], np.int32)])
    short = towers.item_vectors * np.float32(1e-8)
    np.testing.assert_allclose(towers.encode(batch, short), towers.encode(batch), atol=1e-5)


def test_a_fixed_catalogue_refuses_to_encode_items(tmp_path):
    alone = frozen_towers(blocks=(), item_id="embedding")
    table = towers_from_tables(
        TowersConfig(dimension=6, user_id="embedding", terms="none"),
        *(np.ones((count, 6), np.float32) for count in (USERS, ITEMS)),
    )
    content = frozen_towers(**CONFIGS["content"])
    assert content.encodes_items and content.item_blocks == {"text": 5, BAG.name: ENOUGH + 63}
    for towers in (alone, table, reloaded(alone, tmp_path), JoinedTowers.of([content, alone])):
        assert not towers.encodes_items
        with pytest.raises(DataError, match="fixed catalogue.* train with towers.blocks"):
            towers.encode_items(blocks_at([1]))


def test_unsuitable_blocks_and_rows_are_refused():
    towers, rows = frozen_towers(**CONFIGS["ids"]), np.arange(2)
    text, bag = blocks_at(rows)
    extra = block("image", np.ones((5, 2)))
    np.testing.assert_array_equal(
        towers.encode_items([extra, bag, text]), towers.encode_items([text, bag])
    )
    for blocks, message in [
        (
            [text, extra],
            "reads the feature blocks text, .*; got text, image: pass 'text.bag",
        ),
        (
            [bag, block("text", np.ones((2, 4)))],
            "reads 5 columns of the feature block 'text'; got 4",
        ),
        ([text, bag, text], "'text' is given more than once"),
        ([bag, TEXT], "must hold the same items; got .*40"),
    ]:
        with pytest.raises(DataError, match=message):
            towers.encode_items(blocks)
    for wrong, message in [
        (np.arange(3), "one row per item: 2; got int64 .3,"),
        (np.array([True, False]), "one row per item: 2; got bool"),
        (np.array([0.0, 1.0]), "one row per item: 2; got float64"),
        (np.array([[0], [1]]), "one row per item: 2; got int64 .2, 1"),
        (np.array([0, ITEMS]), "the 40 trained items; got 0 to 40: leave rows out"),
        (np.array([-1, 0]), "got -1 to 0"),
    ]:
        with pytest.raises(DataError, match=message):
            towers.encode_items([text, bag], wrong)


@pytest.mark.parametrize("kind", ["content", "ids", "light-gcn"])
def test_rows_are_checked_against_the_trained_items(kind, tmp_path):
    towers = reloaded(frozen_towers(**CONFIGS[kind]), tmp_path)
    with pytest.raises(DataError, match="the 40 trained items; got 0 to 40"):
        towers.encode_items(blocks_at([1, 2]), np.array([0, ITEMS]))


def test_members_that_read_different_blocks_need_the_same_items():
    text, bag = blocks_at([1, 2])
    with pytest.raises(DataError, match="must hold the same items"):
        joined().encode_items([bag, TEXT])
    with pytest.raises(DataError, match="reads the feature blocks text, text.bag.*got text"):
        joined().encode_items([text])


def test_vectors_that_overflow_are_refused():
    towers = frozen_towers(**CONFIGS["content"])
    text, bag = blocks_at([1, 2])
    huge = text.vectors * np.array([[1], [1e37]], np.float32)
    with pytest.raises(DataError, match="vector of item 1 is not finite"):
        towers.encode_items([FeatureBlock(huge, text.mask, "text"), bag])


def test_memory_is_bounded_by_the_widest_layer(monkeypatch):
    narrow = block("text", RNG.normal(size=(500, 5)))
    towers = frozen_towers(blocks=("text",), item_id="none", projection="mlp")
    expected, sizes = towers.encode_items([narrow]), []
    project = FrozenProjection.project
    monkeypatch.setattr("recsys.towers.model.frozen_items.NUMBERS_PER_CALL", 1200)
    monkeypatch.setattr(
        FrozenProjection, "project", lambda own, x: (sizes.append(len(x)), project(own, x))[1]
    )
    np.testing.assert_allclose(towers.encode_items([narrow]), expected, atol=1e-6)
    assert sizes == [100] * 5, "12 hidden numbers per item"


@pytest.mark.parametrize("damage", ["ids missing", "ids of others", "ids nan", "block", "nan"])
def test_damaged_item_weights_are_refused(tmp_path, damage):
    towers = frozen_towers(**CONFIGS["popularity"])
    towers.save(tmp_path)
    if damage == "ids missing":
        (tmp_path / "item_ids.npy").unlink()
    elif damage.startswith("ids"):
        shape = (ITEMS, 6) if damage == "ids nan" else (ITEMS - 1, 6)
        np.save(tmp_path / "item_ids.npy", np.full(shape, np.nan, np.float32))
    else:
        with np.load(tmp_path / "weights.npz") as file:
            weights = dict(file)
        name = "item/0/kernel-0"
        weights[name] = weights[name][1:] if damage == "block" else weights[name] * np.nan
        np.savez(tmp_path / "weights.npz", **weights)
    with pytest.raises(DataError, match="train again"):
        load_towers(tmp_path)


def test_towers_can_be_saved_to_the_folder_they_were_loaded_from(tmp_path):
    towers = frozen_towers(**CONFIGS["ids"])
    towers.save(tmp_path)
    loaded = load_towers(tmp_path)
    replace(loaded, item_vectors=loaded.item_vectors * 1.0).save(tmp_path)
    np.testing.assert_array_equal(load_towers(tmp_path).item_vectors, loaded.item_vectors)
