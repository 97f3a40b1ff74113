"""Valid and invalid configurations of a comparison, with their error messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recsys.comparison import ComparisonConfig, VariantConfig, load_comparison_config
from recsys.config import parse_config
from recsys.errors import ConfigError

ROOT = Path(__file__).parents[2]
FILES = [
    *sorted((ROOT / "configs").glob("compare-*.toml")),
    ROOT / "examples/own_data/compare.toml",
]
WORDS = {"label": "words", "text": {"name": "word2vec"}}
PICTURES = {"label": "pictures", "image": {"name": "auto-encoder"}}
DATA = {
    "interactions": {"format": "csv", "path": "log.csv"},
    "fields": {"text": ["title", "kind"], "categories": ["kind", "shape"]},
}
MINIMAL = {"name": "x", "data": DATA, "variants": [WORDS]}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file_survives_a_round_trip(path: Path) -> None:
    config = load_comparison_config(path)
    assert parse_config(config.model_dump(mode="json"), ComparisonConfig) == config


def test_the_seed_is_the_default_of_every_section() -> None:
    own = {"label": "own", "text": {"name": "word2vec", "seed": 9}}
    pairs = {**WORDS, "label": "pairs", "scorer": {"name": "pair-network"}}
    parts = [{"name": "word2vec"}, {"name": "word2vec", "seed": 9}]
    joined = {"label": "joined", "text": {"name": "joined", "parts": parts}}
    variants = [WORDS, own, pairs, joined]
    config = parse_config({**MINIMAL, "seed": 5, "variants": variants}, ComparisonConfig).seeded()
    seeds = [config.split.seed, config.train.seed, config.evaluation.seed]
    assert seeds == [5, 5, 5]
    assert [getattr(variant.text, "seed", None) for variant in config.variants[:3]] == [5, 9, 5]
    assert [part.seed for part in config.variants[3].text.parts] == [5, 9]
    assert config.variants[2].scorer.train.seed == 5


def test_the_slug_is_a_file_name() -> None:
    variant = parse_config({**WORDS, "label": "GloVe, mean (50)"}, VariantConfig)
    assert variant.slug == "glove_mean_50"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"variant": []}, "unknown key 'variant': did you mean 'variants'"),
        ({"variants": []}, "'variants'"),
        ({"variants": [{**WORDS, "txt": {}}]}, "did you mean 'text'"),
        ({"variants": [{"label": "x", "text": {"name": "word2vec", "windo": 3}}]}, "'window'"),
        ({"variants": [{"label": "bare"}]}, "the variant 'bare' needs a section text or image"),
        ({"variants": [{**WORDS, "label": "!?"}]}, "needs a letter a-z or a digit"),
        ({"variants": [WORDS, WORDS]}, "two variants have the label 'words'"),
        ({"variants": [WORDS, {**WORDS, "label": "Words!"}]}, "too much alike"),
        ({"variants": [{**WORDS, "label": "random"}]}, "two variants have the label 'random'"),
        ({"variants": [{**WORDS, "reads": ["plot"]}]}, "reads 'plot', which is not in"),
        ({"variants": [{**WORDS, "scorer": {"name": "random"}}]}, "scores without content"),
        ({"variants": [PICTURES]}, "the variant 'pictures' needs data.pictures"),
        (
            {"probes": [{"column": "colour", "encoder": "text"}]},
            "which is not in data.fields.categor",
        ),
        (
            {"probes": [{"column": "kind", "encoder": "text"}]},
            "a column that the text itself contains",
        ),
        ({"probes": [{"column": "shape", "encoder": "text"}] * 2}, "each probe may be given once"),
        ({"towers": {"item_id": "none"}}, "towers.item_id cannot be set here"),
        ({"evaluation": {"ks": [0]}}, "every k must be 1 or more"),
        ({"name": "../up"}, "'name'"),
    ],
)
def test_invalid_combinations_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config({**MINIMAL, **changes}, ComparisonConfig)
