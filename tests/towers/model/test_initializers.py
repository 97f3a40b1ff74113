"""Towers that begin as identity: untrained, they score by the encoders' own cosine."""

import numpy as np
import pytest

from recsys._tf import tf
from recsys.errors import ConfigError
from recsys.features import FeatureBlock
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.towers import NoHistory, QueryBatch, TowersConfig, TrainConfig, fit, load_towers
from recsys.towers.model.position_model import TwoTowerModel
from recsys.towers.towers import freeze
from recsys.towers.training.batches import load_batches, training_batches

RNG = np.random.default_rng(0)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def centred(vectors: np.ndarray) -> np.ndarray:
    return unit(vectors - vectors.mean(axis=0))


ITEMS, PHRASES = unit(RNG.normal(1, 1, (12, 6))), unit(RNG.normal(1, 1, (9, 6)))
PICTURES = unit(RNG.normal(1, 1, (12, 4)))
WORDS = FeatureBlock(ITEMS, np.ones(12, bool), "text")
IMAGE = FeatureBlock(PICTURES, np.ones(12, bool), "image")
LOG = Interactions.of(
    IdMap.of("user", [f"u{row}" for row in range(9)]),
    IdMap.of("item", [f"i{row}" for row in range(12)]),
    user=np.arange(9),
    item=np.arange(9),
    time=np.zeros(9),
    phrases=("", *(f"phrase {row}" for row in range(9))),
    terms=np.arange(1, 10),
)


def begun(blocks, phrases=PHRASES, **chosen):
    config = TowersConfig(
        **{"history": NoHistory(), "item_id": "none", "initial": "identity", **chosen}
    )
    vectors = np.vstack([np.zeros((1, phrases.shape[1])), phrases]).astype(np.float32)
    model = TwoTowerModel(config, TrainConfig(), LOG, blocks, vectors)
    (batch,) = load_batches(LOG, training_batches(LOG, window=0, positions=9, seed=0, epoch=0))
    model.compute_loss({name: tf.constant(part) for name, part in batch.items()})  # makes it
    return freeze(config, model, {"users": 9, "terms": phrases.shape[1]})


def scores(towers, phrases=PHRASES) -> np.ndarray:
    nothing = [np.array([], np.int32)] * len(phrases)
    return towers.encode(QueryBatch.of(nothing, terms=phrases)) @ towers.item_vectors.T


@pytest.mark.parametrize("dimension", [6, 9])
def test_one_block_gives_the_cosine_of_what_is_centred(dimension):
    towers = begun([WORDS], dimension=dimension)
    np.testing.assert_allclose(scores(towers), centred(PHRASES) @ centred(ITEMS).T, atol=1e-5)


def test_a_second_block_has_coordinates_of_its_own():
    towers = begun([WORDS, IMAGE], dimension=10)
    for part, vectors in ((slice(0, 6), ITEMS), (slice(6, 10), PICTURES)):
        moved = vectors - vectors.mean(axis=0)
        np.testing.assert_allclose(unit(towers.item_vectors[:, part]), unit(moved), atol=1e-5)
    # The terms have none there, so words find items by their words.
    words = unit(ITEMS - ITEMS.mean(axis=0))
    lengths = np.linalg.norm(towers.item_vectors[:, :6], axis=1)
    np.testing.assert_allclose(scores(towers), centred(PHRASES) @ words.T * lengths, atol=1e-5)


def test_terms_that_know_both_blocks_add_the_two_cosines():
    terms = np.hstack([PHRASES, unit(RNG.normal(1, 1, (9, 4)))]) / np.float32(np.sqrt(2))
    towers = begun([WORDS, IMAGE], phrases=terms, dimension=10)
    both = np.hstack(
        [block / np.sqrt((block**2).sum(axis=1).mean())
         for block in (ITEMS - ITEMS.mean(axis=0), PICTURES - PICTURES.mean(axis=0))]
    )  # fmt: skip
    np.testing.assert_allclose(scores(towers, terms), centred(terms) @ unit(both).T, atol=1e-5)


def test_save_and_load_keep_it(tmp_path):
    towers = begun([WORDS], dimension=6)
    towers.save(tmp_path / "saved")
    np.testing.assert_array_equal(scores(load_towers(tmp_path / "saved")), scores(towers))


def learn(folder, blocks, *, epochs, **chosen):
    config = TowersConfig(history=NoHistory(), item_id="none", initial="identity", **chosen)
    return fit(
        LOG,
        blocks,
        np.vstack([np.zeros((1, 6)), PHRASES]).astype(np.float32),
        towers=config,
        train=TrainConfig(
            learning_rate=0.02,
            warmup_steps=1,
            epochs=epochs,
            patience=epochs,
            validate_every=10,
        ),
        folder=folder,
        validate=lambda towers: float(np.trace(scores(towers))),
    )


def found(towers) -> int:
    return int((scores(towers).argmax(axis=1) == np.arange(9)).sum())


def test_training_goes_on_from_there(tmp_path):
    fitted = learn(tmp_path, [WORDS], dimension=6, epochs=40)
    assert fitted.epochs[-1].loss < 0.5 * fitted.epochs[0].loss
    assert found(fitted.towers) > found(begun([WORDS], dimension=6))


def test_all_must_fit(tmp_path):
    message = (
        "'identity' keeps 10 dimensions of blocks and 6 of terms; towers.dimension is 8: raise it"
        " to 10, or take 'random'"
    )
    with pytest.raises(ConfigError, match=message):
        learn(tmp_path, [WORDS, IMAGE], dimension=8, epochs=1)
    with pytest.raises(ConfigError, match="keeps 4 dimensions of blocks and 6 of terms.*to 6"):
        learn(tmp_path, [IMAGE], dimension=5, epochs=1)


def test_it_is_a_linear_map():
    with pytest.raises(ValueError, match="initial = 'identity' needs projection = 'linear'"):
        TowersConfig(initial="identity", projection="mlp")
