"""Items that training never saw find their topic: raw item -> encoders -> towers -> neighbours."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.bundle import Bundle, open_bundle
from recsys.catalogue import Catalogue
from recsys.errors import EncoderError
from recsys.pictures import PictureStore
from recsys.pipeline import open_job, run_job

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "sample"
USERS, NEW = 500, 40
CONFIG = f"""
name = "new-items"
seed = 1
[data]
pictures = "{SAMPLE / "pictures.zip"}"
[data.interactions]
format = "parquet"
path = "log.parquet"
[data.items]
format = "csv"
path = "items.csv"
[data.fields]
title = "title"
text = ["title", "description"]
categories = ["category"]
numbers = ["price"]
image = "image"
[split]
protocol = "leave-last-out"
[text]
name = "joined"
parts = [{{ name = "bag-of-words", min_count = 2 }}, {{ name = "lsa", dimension = 32 }}]
[image]
name = "auto-encoder"
dimension = 16
size = 16
filters = [4, 8, 8]
epochs = 2
[towers]
dimension = 24
history = {{ name = "mean", window = 20 }}
blocks = ["text.bag-of-words", "text.lsa", "image", "attributes"]
id_dropout = 0.6
[train]
batch_positions = 1024
learning_rate = 1e-2
epochs = 4
patience = 4
validate_every = 4
[train.loss]
name = "full-softmax"
temperature = 0.1
[evaluation]
ks = [10]
resamples = 10
baselines = []
sheet_users = 0
[index]
search = {{ kind = "exact" }}
"""


@pytest.fixture(scope="module")
def topics() -> dict[str, int]:
    """Topic of each item of the sample, from the rule that made it."""
    sys.path.insert(0, str(ROOT / "data"))
    from sample_world import world
    from sample_world.parameters import Parameters

    seed = np.random.SeedSequence(Parameters().seed).spawn(5)[0]
    drawn = world.make_world(Parameters(), np.random.default_rng(seed))
    return {f"i{n + 1:04d}": int(topic) for n, topic in enumerate(drawn.items.traits["topic"])}


@pytest.fixture(scope="module")
def new() -> pd.DataFrame:
    """Items that are kept from the run."""
    items = pd.read_csv(SAMPLE / "items.csv")
    return items.iloc[np.random.default_rng(0).choice(len(items), NEW, replace=False)]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, new: pd.DataFrame) -> Bundle:
    folder = tmp_path_factory.mktemp("new_items")
    items, log = pd.read_csv(SAMPLE / "items.csv"), pd.read_parquet(SAMPLE / "interactions.parquet")
    log = log[~log.item_id.isin(new.item_id) & log.user_id.isin(log.user_id.unique()[:USERS])]
    items[~items.item_id.isin(new.item_id)].to_csv(folder / "items.csv", index=False)
    log.to_parquet(folder / "log.parquet", index=False)
    (folder / "run.toml").write_text(CONFIG)
    job = open_job(folder / "run.toml", runs=folder / "runs")
    run_job(job, until="publish")
    return open_bundle(job.bundles)


def test_new_items_are_nearest_to_items_of_their_topic(
    bundle: Bundle, new: pd.DataFrame, topics: dict[str, int]
) -> None:
    assert bundle.manifest.catalogue == "open"
    catalogue = Catalogue.of(new, bundle.catalogue.fields)
    pictures = PictureStore.open(SAMPLE / "pictures.zip")
    files = [pictures.read(name) for name in new.image]
    blocks = bundle.parts.item_encoder.encode(catalogue, files)
    vectors = bundle.parts.towers.encode_items(blocks)
    nothing = [np.zeros(0, np.int32)] * NEW
    hits = bundle.parts.spaces["two_tower"].search(vectors, 10, exclude=nothing)
    same = [
        topics[bundle.catalogue.ids.id(int(row))] == topics[item]
        for query, item in enumerate(new.item_id)
        for row in hits.at(query)[0]
    ]
    chance = np.bincount(list(topics.values())).max() / len(topics)
    assert np.mean(same) > 0.6 > 5 * chance


def test_trained_items_are_encoded_as_they_were_stored(bundle: Bundle) -> None:
    rows = np.arange(0, len(bundle.catalogue), 40, dtype=np.int32)
    table = bundle.catalogue.table.take(rows)
    pictures = PictureStore.open(SAMPLE / "pictures.zip")
    catalogue = Catalogue.of(table, bundle.catalogue.fields, pictures)
    blocks = bundle.parts.item_encoder.encode(catalogue)
    stored = bundle.parts.spaces["two_tower"].vectors
    np.testing.assert_allclose(
        bundle.parts.towers.encode_items(blocks, rows), stored[rows], atol=1e-5
    )


def test_the_item_matrix_is_in_the_bundle_once(bundle: Bundle) -> None:
    towers, space = bundle.parts.towers, bundle.parts.spaces["two_tower"]
    assert towers.item_vectors is space.vectors and not space.vectors.flags.owndata
    assert not (bundle.path / "towers" / "items.npy").exists()


def test_a_picture_that_cannot_be_read_is_named(bundle: Bundle, new: pd.DataFrame) -> None:
    catalogue = Catalogue.of(new.iloc[:2], bundle.catalogue.fields)
    encoder = bundle.parts.item_encoder
    with pytest.raises(EncoderError, match=f"of item '{new.item_id.iloc[1]}' cannot be read"):
        encoder.encode(catalogue, [None, b"no picture"])
    image = {block.name: block for block in encoder.encode(catalogue, [None, b"?"], broken="skip")}
    assert not image["image"].mask.any()
    with pytest.raises(EncoderError, match="for each of 2 items; got 1"):
        encoder.encode(catalogue, [None])
