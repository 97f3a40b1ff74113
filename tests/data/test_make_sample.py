"""The sample world keeps its own rule, is made the same each time, and is the one committed."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

DATA = Path(__file__).resolve().parents[2] / "data"
SAMPLE = DATA / "sample"
sys.path.insert(0, str(DATA))

import make_sample  # noqa: E402
from sample_world import grammar, lexicon, pictures, world  # noqa: E402
from sample_world.parameters import Parameters  # noqa: E402

SMALL = Parameters(seed=3, users=150, items=200, interactions=2_400)
FILES = {"items.csv", "pictures.zip", "interactions.parquet", "searches.csv", "world.json"}
LOOKS = (
    "red orange yellow green blue purple violet lilac pink brown black white grey gold silver "
    "lavender turquoise striped dotted checked zigzag round square pattern shape colour colourful"
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("small")
    make_sample.make_sample(SMALL, out)
    return out


@pytest.fixture(scope="module")
def drawn() -> tuple[world.World, list[world.Step]]:
    made = world.make_world(SMALL, np.random.default_rng(0))
    return made, list(world.play(made, np.random.default_rng(1)))


def _summary(folder: Path) -> dict:
    return json.loads((folder / "world.json").read_text(encoding="utf-8"))


def _pixels(folder: Path) -> dict[str, np.ndarray]:
    """Pictures by name; int16, shape (side, side, 3)."""
    with zipfile.ZipFile(folder / "pictures.zip") as archive:
        return {
            name: np.asarray(Image.open(io.BytesIO(archive.read(name)))).astype(np.int16)
            for name in archive.namelist()
        }


def test_sizes_and_columns_are_as_configured(small: Path) -> None:
    items = pd.read_csv(small / "items.csv")
    interactions = pd.read_parquet(small / "interactions.parquet")
    assert {path.name for path in small.iterdir()} == FILES
    assert list(items) == ["item_id", "title", "description", "category", "price", "image"]
    assert list(interactions) == ["user_id", "item_id", "timestamp"]
    assert interactions["timestamp"].dtype == np.int64
    assert (len(items), items["item_id"].nunique()) == (SMALL.items, SMALL.items)
    assert (len(interactions), interactions["user_id"].nunique()) == (2_400, SMALL.users)
    assert items["category"].str.split("|").str.len().isin([1, 2]).all()
    found = _pixels(small)
    assert list(found) == items["image"].tolist()
    assert {picture.shape for picture in found.values()} == {(pictures.SIDE, pictures.SIDE, 3)}


def test_users_have_no_repeated_items_or_times(small: Path) -> None:
    interactions = pd.read_parquet(small / "interactions.parquet")
    assert not interactions.duplicated(["user_id", "item_id"]).any()
    assert not interactions.duplicated(["user_id", "timestamp"]).any()


def test_cold_items_appear_only_after_training_and_the_periods_have_their_shares(
    small: Path,
) -> None:
    summary = _summary(small)
    interactions = pd.read_parquet(small / "interactions.parquet")
    moments = interactions["timestamp"]
    cold = interactions["item_id"].isin(summary["cold_items"])
    assert len(summary["cold_items"]) == SMALL.items // 10
    assert cold.any()
    assert moments[cold].min() >= summary["validation_from"]
    assert (moments < summary["validation_from"]).mean() == pytest.approx(0.8, abs=0.01)
    assert (moments >= summary["test_from"]).mean() == pytest.approx(0.1, abs=0.01)


def test_each_search_has_an_interaction_and_words_of_its_topic(small: Path) -> None:
    searches = pd.read_csv(small / "searches.csv")
    interactions = pd.read_parquet(small / "interactions.parquet")
    joined = searches.merge(interactions, on=["user_id", "item_id", "timestamp"])
    assert list(searches) == ["user_id", "terms", "item_id", "timestamp"]
    assert len(joined) == len(searches) == len(interactions) // 10
    known = {word for topic in lexicon.TOPICS for word in topic.words}
    assert set(" ".join(searches["terms"]).split()) <= known


def test_the_stated_probabilities_are_the_softmax_of_the_rule(
    drawn: tuple[world.World, list[world.Step]],
) -> None:
    made, steps = drawn
    history: dict[int, list[int]] = {}
    for step in steps:
        taken = history.setdefault(step.user, [])
        current = [t for t in made.preferences[step.user] if t.begins <= step.timestamp][-1]
        logits = made.items.appeal.copy()
        strengths = (
            ("topic", SMALL.topic_strength),
            ("style", SMALL.style_strength),
            ("group", SMALL.group_strength),
        )
        for trait, strength in strengths:
            logits += strength * np.isin(made.items.traits[trait], list(current.favourites[trait]))
        weights = np.exp(logits) * (made.items.available_from <= step.timestamp)
        weights[taken] = 0.0
        np.testing.assert_allclose(step.probability, weights / weights.sum(), atol=1e-12)
        assert step.probability[step.item] > 0
        taken.append(step.item)


def test_the_recall_of_the_oracle_is_near_its_expectation(small: Path) -> None:
    oracle = _summary(small)["oracle"]
    error = np.sqrt(0.25 / oracle["test_interactions"])
    assert abs(oracle["recall@10"] - oracle["expected_recall@10"]) < 4 * error


def test_no_word_of_the_grammar_describes_style() -> None:
    sentences = grammar.TITLES + grammar.OPENINGS + grammar.MIDDLES + grammar.CLOSINGS
    lines = [*sentences, *grammar.MOMENTS, *grammar.KINDS]
    lines += [" ".join(topic.words) for topic in lexicon.TOPICS]
    words = set(re.findall(r"[a-z]+", " ".join(lines).lower()))
    assert not words & set(LOOKS.split())


def test_words_go_with_topics_and_not_with_styles() -> None:
    rng = np.random.default_rng(5)
    topics = np.arange(900) % len(lexicon.TOPICS)
    styles = rng.permutation(np.arange(900) % len(pictures.STYLES))
    texts = [" ".join(text).lower() for text in grammar.item_texts(topics, rng)]
    vocabulary = sorted({word for topic in lexicon.TOPICS for word in topic.words})
    present = np.array(
        [[word in set(re.findall("[a-z]+", t)) for word in vocabulary] for t in texts]
    )

    def spread(labels: np.ndarray) -> float:
        """How much word frequencies differ between the labels; a chi-squared statistic."""
        seen = np.stack([present[labels == label].sum(axis=0) for label in np.unique(labels)])
        expected = np.outer(np.bincount(labels) / len(labels), present.sum(axis=0))
        return float(((seen - expected) ** 2 / np.maximum(expected, 1e-9)).sum())

    by_chance = [spread(rng.permutation(styles)) for _ in range(50)]
    assert min(by_chance) <= spread(styles) <= max(by_chance)
    assert spread(topics) > 5 * max(by_chance)


def test_pictures_show_the_style_but_are_no_copies_of_each_other() -> None:
    styles = np.arange(400) % len(pictures.STYLES)
    images = pictures.draw_pictures(styles, np.random.default_rng(2))
    pixels = np.stack([np.asarray(image).ravel() for image in images]).astype(float) / 255
    assert len(np.unique(pixels, axis=0)) == len(pixels)
    learn, held_out = np.arange(400) < 300, np.arange(400) >= 300
    centres = np.stack([pixels[learn & (styles == s)].mean(axis=0) for s in np.unique(styles)])
    distances = ((pixels[held_out, None] - centres[None]) ** 2).sum(axis=2)
    right = (distances.argmin(axis=1) == styles[held_out]).mean()
    assert right > 0.6  # chance is 0.1


def test_the_same_seed_makes_the_same_bytes_and_another_seed_does_not(
    small: Path, tmp_path: Path
) -> None:
    arguments = ["--seed", "3", "--users", "150", "--items", "200", "--interactions", "2400"]
    same, other = tmp_path / "same", tmp_path / "other"
    command = [sys.executable, str(DATA / "make_sample.py"), "--out", str(same), *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == _summary(small)["oracle"]
    for name in FILES - {"interactions.parquet"}:
        assert (same / name).read_bytes() == (small / name).read_bytes(), name
    again = pd.read_parquet(same / "interactions.parquet")
    pd.testing.assert_frame_equal(again, pd.read_parquet(small / "interactions.parquet"))
    make_sample.make_sample(dataclasses.replace(SMALL, seed=4), other)
    for name in FILES - {"interactions.parquet"}:
        assert (other / name).read_bytes() != (small / name).read_bytes(), name


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"interactions": 100}, "choose more interactions or fewer users"),
        ({"items": 20}, "expected at least 100 items and 1 user, got 20"),
    ],
)
def test_a_world_too_small_for_its_rule_is_refused(sizes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Parameters(**sizes)


@pytest.mark.slow
def test_the_generator_makes_the_committed_sample(tmp_path: Path) -> None:
    make_sample.make_sample(Parameters(), tmp_path)
    for name in ("items.csv", "searches.csv", "world.json"):
        assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes(), name
    made, kept = (pd.read_parquet(f / "interactions.parquet") for f in (tmp_path, SAMPLE))
    pd.testing.assert_frame_equal(made, kept)
    drawn_now, drawn_then = _pixels(tmp_path), _pixels(SAMPLE)
    assert list(drawn_now) == list(drawn_then)
    # Pillow versions may round an edge differently, so pixels are compared, not compressed bytes.
    worst = max(np.abs(drawn_now[name] - drawn_then[name]).mean() for name in drawn_now)
    assert worst < 2.0


def test_the_committed_sample_is_small_and_every_warm_item_was_in_training() -> None:
    interactions = pd.read_parquet(SAMPLE / "interactions.parquet")
    summary = _summary(SAMPLE)
    training = interactions[interactions["timestamp"] < summary["validation_from"]]
    test = interactions[interactions["timestamp"] >= summary["test_from"]]
    every = set(pd.read_csv(SAMPLE / "items.csv")["item_id"])
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 5_000_000
    assert set(training["item_id"]) == every - set(summary["cold_items"])
    assert test["item_id"].isin(summary["cold_items"]).mean() >= 0.08
    assert 0.3 <= summary["oracle"]["recall@10"] <= 0.5
