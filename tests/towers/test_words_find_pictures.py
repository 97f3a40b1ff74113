"""A query tower over words and an item tower over pictures alone: words find pictures."""

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
    """A field of that colour, in another shade and with other noise each time."""
    rng = np.random.default_rng(seed)
    pixels = np.array(colour) * rng.uniform(0.7, 1.2) + rng.normal(0, 12, (32, 32, 3))
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def test_words_find_pictures_that_training_never_saw(tmp_path):
    colour = np.arange(3 * EACH) % 3
    contents = [picture(list(COLOURS.values())[of], at) for at, of in enumerate(colour)]
    encoder = build_encoder(KerasApplicationConfig(weights="none", alpha=0.25, size=32), contents)
    image = FeatureBlock.of("image", encoder.encode(contents))
    shown = np.arange(3 * (EACH - HELD_OUT))  # the last few of each colour are never taken
    log = Interactions.of(
        IdMap.of("user", [f"u{at}" for at in shown]),
        IdMap.of("item", [f"i{at}" for at in range(len(contents))]),
        user=shown,
        item=shown,
        time=shown,
        phrases=("", *COLOURS),
        terms=1 + colour[shown],
    )
    words = np.vstack([np.zeros(3), np.eye(3)]).astype(np.float32)
    rising = iter(range(99))
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
        validate=lambda made: float(next(rising)),
    ).towers
    asked = towers.encode(QueryBatch.of([np.zeros(0, np.int32)] * 3, terms=words[1:]))
    scores = (asked @ towers.item_vectors.T)[:, len(shown) :]
    found = np.argsort(-scores, axis=1)[:, :HELD_OUT]
    for word in range(3):
        assert set(colour[len(shown) :][found[word]]) == {word}
