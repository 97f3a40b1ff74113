"""Results of the example, compared with the styles and topics of the sample set."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from recsys.retrieval import Retriever, WeightedSum

ROOT = Path(__file__).parents[2]
STRANGERS = 60
K = 6


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "examples/find_pictures.py"))


@pytest.fixture(scope="module")
def retriever(example: dict[str, Any]) -> Retriever:
    store = example["PictureStore"].open(example["SAMPLE"] / "pictures.zip")
    return example["retriever_of"](example["catalogue_of"](store))


@pytest.fixture(scope="module")
def traits() -> Iterator[dict[str, np.ndarray]]:
    """Per item its style and its topic, by the generator itself."""
    sys.path.insert(0, str(ROOT / "data"))
    try:
        from sample_world import world
        from sample_world.parameters import Parameters
    finally:
        sys.path.remove(str(ROOT / "data"))
    # As data/make_sample.py begins; the rest of it does not change the items.
    world_seed = np.random.SeedSequence(Parameters().seed).spawn(1)[0]
    yield world.make_world(Parameters(), np.random.default_rng(world_seed)).items.traits


def test_it_prints_and_draws_the_results(
    example: dict[str, Any],
    retriever: Retriever,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    example["show"](retriever, tmp_path / "sheet.png")
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "Candidates by picture:",
        "Candidates by words:",
        "Candidates by picture and words:",
    ]
    assert len(lines) == 3 + 3 * K
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size[0] > 900


def test_a_picture_finds_its_style_words_their_topic_and_both_find_both(
    retriever: Retriever, traits: dict[str, np.ndarray]
) -> None:
    """Queries are items outside the catalogue: the picture of one, the title of another."""
    table = pd.read_csv(ROOT / "data/sample/items.csv")
    fits: dict[str, list[tuple[float, float, float]]] = {"image": [], "text": [], "both": []}
    assert retriever.catalogue.pictures is not None
    for seen in range(1_000, 1_000 + STRANGERS):
        said = seen + STRANGERS
        picture = retriever.catalogue.pictures.read(table["image"][seen])
        words = table["title"][said]
        answers = {
            "image": retriever.retrieve(image=picture, k=K, space="image"),
            "text": retriever.retrieve(terms=words, k=K, space="text"),
            "both": retriever.retrieve(
                image=picture, terms=words, k=K, space="text+image", fusion=WeightedSum()
            ),
        }
        for name, answer in answers.items():
            rows = retriever.catalogue.ids.rows(answer.ids)
            style = traits["style"][rows] == traits["style"][seen]
            topic = traits["topic"][rows] == traits["topic"][said]
            fits[name].append((style.mean(), topic.mean(), (style & topic).mean()))
    style, topic, both = (
        dict(zip(fits, column)) for column in np.mean(list(fits.values()), axis=1).T
    )
    assert style["image"] > 0.8 and topic["text"] > 0.4
    assert both["both"] > 1.5 * max(both["image"], both["text"])


def test_the_picture_of_an_item_finds_the_item_and_then_its_neighbours(
    retriever: Retriever,
) -> None:
    assert retriever.catalogue.pictures is not None
    for item in ("i0001", "i0123", "i0600"):
        picture = retriever.catalogue.pictures.read(f"{item}.png")
        by_picture = retriever.retrieve(image=picture, k=K, space="image")
        by_item = retriever.retrieve(item_id=item, k=K - 1, space="image")
        assert by_picture.ids == [item, *by_item.ids]
        scores = [candidate.score for candidate in by_picture.candidates[1:]]
        expected = [candidate.score for candidate in by_item.candidates]
        np.testing.assert_allclose(scores, expected, atol=1e-5)
