"""Identity start: untrained towers score by the cosine of the encoded vectors."""

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


def untrained_towers(blocks, phrases=PHRASES, **chosen):
    config = TowersConfig(
        **{"history": NoHistory(), "item_id": "none", "initial": "identity", **chosen}
    )
    vectors = np.vstack([np.zeros((1, phrases.shape[1])), phrases]).astype(np.float32)
    model = TwoTowerModel(config, TrainConfig(), LOG, blocks, vectors)
    (batch,) = load_batches(
        LOG, training_batches(LOG, window=0, positions=9, seed=0, epoch=0), seed=0, epoch=0
    )
    model.compute_loss(
        {name: tf.constant(part) for name, part in batch.items()}
    )  # creates the weights
    return freeze(config, model, {"users": 9, "terms": phrases.shape[1]})


def scores(towers, phrases=PHRASES) -> np.ndarray:
    nothing = [np.array([], np.int32)] * len(phrases)
    return towers.encode(QueryBatch.of(nothing, terms=phrases)) @ towers.item_vectors.T


@pytest.mark.parametrize("dimension", [6, 9])
def test_scores_of_one_block_are_cosines_of_centred_vectors(dimension):
    towers = untrained_towers([WORDS], dimension=dimension)
    np.testing.assert_allclose(scores(towers), centred(PHRASES) @ centred(ITEMS).T, atol=1e-5)


def test_each_block_has_separate_coordinates():
    towers = untrained_towers([WORDS, IMAGE], dimension=10)
    for part, vectors in ((slice(0, 6), ITEMS), (slice(6, 10), PICTURES)):
        moved = vectors - vectors.mean(axis=0)
        np.testing.assert_allclose(unit(towers.item_vectors[:, part]), unit(moved), atol=1e-5)
    # Terms have no coordinates for pictures, so they score items by text alone.
    words = unit(ITEMS - ITEMS.mean(axis=0))
    lengths = np.linalg.norm(towers.item_vectors[:, :6], axis=1)
    np.testing.assert_allclose(scores(towers), centred(PHRASES) @ words.T * lengths, atol=1e-5)


def test_terms_encoded_in_both_blocks_add_the_two_cosines():
    terms = np.hstack([PHRASES, unit(RNG.normal(1, 1, (9, 4)))]) / np.float32(np.sqrt(2))
    towers = untrained_towers([WORDS, IMAGE], phrases=terms, dimension=10)
    both = np.hstack(
        [block / np.sqrt((block**2).sum(axis=1).mean())
         for block in (ITEMS - ITEMS.mean(axis=0), PICTURES - PICTURES.mean(axis=0))]
    )  # fmt: skip
    np.testing.assert_allclose(scores(towers, terms), centred(terms) @ unit(both).T, atol=1e-5)


def test_loaded_towers_keep_the_scores(tmp_path):
    towers = untrained_towers([WORDS], dimension=6)
    towers.save(tmp_path / "saved")
    np.testing.assert_array_equal(scores(load_towers(tmp_path / "saved")), scores(towers))


def fit_towers(folder, blocks, *, epochs, **chosen):
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


def right_answers(towers) -> int:
    return int((scores(towers).argmax(axis=1) == np.arange(9)).sum())


def test_training_improves_on_the_identity_start(tmp_path):
    fitted = fit_towers(tmp_path, [WORDS], dimension=6, epochs=40)
    assert fitted.epochs[-1].loss < 0.5 * fitted.epochs[0].loss
    assert right_answers(fitted.towers) > right_answers(untrained_towers([WORDS], dimension=6))


def test_a_dimension_smaller_than_the_inputs_is_refused(tmp_path):
    message = (
        "'identity' keeps 10 dimensions of blocks and 6 of terms; towers.dimension is 8: raise it"
        " to 10, or take 'random'"
    )
    with pytest.raises(ConfigError, match=message):
        fit_towers(tmp_path, [WORDS, IMAGE], dimension=8, epochs=1)
    with pytest.raises(ConfigError, match="keeps 4 dimensions of blocks and 6 of terms.*to 6"):
        fit_towers(tmp_path, [IMAGE], dimension=5, epochs=1)


def test_an_identity_start_needs_a_linear_projection():
    with pytest.raises(ValueError, match="initial = 'identity' needs projection = 'linear'"):
        TowersConfig(initial="identity", projection="mlp")
