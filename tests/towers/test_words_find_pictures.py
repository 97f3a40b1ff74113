"""Retrieval of pictures by words, with a query tower of terms and an item tower of pictures."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from recsys.encoders import KerasApplicationConfig, build_encoder
from recsys.features import FeatureBlock
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.towers import FullSoftmax, NoHistory, QueryBatch, TowersConfig, TrainConfig, fit

COLOURS = {"red": (200, 30, 30), "green": (30, 180, 30), "blue": (30, 30, 200)}
EACH, HELD_OUT = 14, 4


def picture(colour: tuple[int, int, int], seed: int) -> bytes:
    """PNG of a colour, with a shade and noise that depend on the seed."""
    rng = np.random.default_rng(seed)
    pixels = np.array(colour) * rng.uniform(0.7, 1.2) + rng.normal(0, 12, (32, 32, 3))
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def test_words_find_pictures_unknown_to_training(tmp_path):
    colour = np.arange(3 * EACH) % 3
    contents = [picture(list(COLOURS.values())[of], at) for at, of in enumerate(colour)]
    encoder = build_encoder(KerasApplicationConfig(weights="none", alpha=0.25, size=32), contents)
    image = FeatureBlock.of("image", encoder.encode(contents))
    trained = np.arange(3 * (EACH - HELD_OUT))  # the last few of each colour are held out
    log = Interactions.of(
        IdMap.of("user", [f"u{at}" for at in trained]),
        IdMap.of("item", [f"i{at}" for at in range(len(contents))]),
        user=trained,
        item=trained,
        time=trained,
        phrases=("", *COLOURS),
        terms=1 + colour[trained],
    )
    words = np.vstack([np.zeros(3), np.eye(3)]).astype(np.float32)
    figures = iter(range(99))
    towers = fit(
        log,
        [image],
        words,
        towers=TowersConfig(dimension=8, history=NoHistory(), item_id="none", terms_dropout=0.0),
        train=TrainConfig(
            loss=FullSoftmax(temperature=0.1),
            learning_rate=0.02,
            warmup_steps=2,
            epochs=30,
            validate_every=30,
        ),
        folder=tmp_path,
        validate=lambda made: float(next(figures)),
    ).towers
    queries = towers.encode(QueryBatch.of([np.zeros(0, np.int32)] * 3, terms=words[1:]))
    scores = (queries @ towers.item_vectors.T)[:, len(trained) :]
    found = np.argsort(-scores, axis=1)[:, :HELD_OUT]
    for word in range(3):
        assert set(colour[len(trained) :][found[word]]) == {word}
