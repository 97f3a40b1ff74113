"""Every configuration in the project fits, and says the same after a round trip."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.config import parse_config
from recsys.errors import ConfigError
from recsys.pipeline import RunConfig, load_run_config
from tests.pipeline.tiny import write_tiny

ROOT = Path(__file__).parents[2]
RUNS = [
    path
    for path in sorted((ROOT / "configs").glob("*.toml"))
    if not path.name.startswith(("compare-", "tune-"))  # held by tests/comparison, tests/tuning
]
FILES = [*RUNS, ROOT / "examples/own_data/shop.toml"]
LEAST = {"name": "x", "data": {"interactions": {"format": "csv", "path": "log.csv"}}}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_fits_and_survives_a_round_trip(path: Path) -> None:
    config = load_run_config(path)
    assert parse_config(config.model_dump(mode="json"), RunConfig) == config


def test_the_seed_is_the_default_of_every_section(tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "shop")
    config = load_run_config(path)
    assert config.seed == 3
    assert config.train.seed == config.split.seed == config.evaluation.seed == 3
    assert config.text is not None and getattr(config.text, "seed", None) == 3
    path.write_text(path.read_text().replace("patience = 4", "patience = 4\nseed = 9"))
    assert load_run_config(path).train.seed == 9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spaces": ["two_tower", "image"]}, "the space 'image' needs an encoder"),
        ({"spaces": ["text"], "text": {"name": "word2vec"}}, "spaces must hold 'two_tower'"),
        ({"image": {"name": "auto-encoder"}}, "needs data.pictures and data.fields.image"),
        ({"name": "../up"}, "'name'"),
        ({"evaluation": {"choose_by": "luck@10"}}, "'evaluation.choose_by'"),
        ({"serve": {"call": {"k": 0}}}, "'serve.call': .*k must be from 1"),
        ({"serve": {"call": {"k": 1, "colour": "red"}}}, "has no field 'colour'"),
        ({"serve": {"call": {"space": "smell"}}}, "names 'smell', which is not in spaces"),
    ],
)
def test_invalid_combinations_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config({**LEAST, **changes}, RunConfig)
