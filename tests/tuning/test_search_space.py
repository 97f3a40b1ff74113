"""Which keys may be tried, what a space may hold, and what a draw makes of a run's values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recsys.config import parse_config
from recsys.errors import ConfigError
from recsys.pipeline import RunConfig
from recsys.tuning import StudyConfig
from recsys.tuning.keys import _every_key, fields_at, set_key
from recsys.tuning.search_space import SearchSpace
from recsys.tuning.study import open_study

BASE: dict[str, Any] = {
    "name": "x",
    "data": {"interactions": {"format": "csv", "path": "log.csv"}},
    "towers": {"history": {"name": "mean"}},
}


ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "configs").glob("tune-*.toml")), ids=lambda path: path.name
)
def test_studies_of_the_project_can_be_opened(path: Path) -> None:
    study = open_study(path, runs=ROOT / "runs")
    assert study.space.draw(lambda option: (option.values() or [option.low])[0])


def space(given: dict[str, Any], base: dict[str, Any] = BASE) -> SearchSpace:
    config = {"name": "s", "base": "x.toml", "space": given}
    return SearchSpace(parse_config(config, StudyConfig), base, source="s.toml")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"train.learning_rat": {"low": 0.1, "high": 1}}, "did you mean 'train.learning_rate'"),
        ({"trian.epochs": {"low": 1, "high": 2}}, "did you mean 'train.epochs'"),
        ({"towers.history.wimdow": {"low": 1, "high": 2}}, "did you mean 'towers.history.window'"),
        ({"train.xyzzy": {"low": 1, "high": 2}}, "known keys: .*train.patience"),
        ({"xyzzy": {"low": 1, "high": 2}}, "known keys: .*towers, train"),
        ({"split.protocol": {"choices": ["fixed"]}}, "on one data set, one split"),
        ({"name": {"choices": ["a", "b"]}}, "expected a key of towers, train"),
        ({"train.seed": {"low": 1, "high": 5}}, "the best of several seeds is luck"),
        ({"train.decay": {"low": 1, "high": 2}}, r"takes no numbers.*write choices = \["),
        ({"train.epochs": {"low": 1.5, "high": 2}}, "takes whole numbers; low 1.5, high 2"),
        ({"train.epochs": {"low": 3, "high": 2}}, "low must be at most high; got 3 and 2"),
        ({"train.learning_rate": {"low": 0, "high": 1, "log": True}}, "low must be more than 0"),
        ({"train.epochs": {"low": 1, "high": 9, "step": 2, "log": True}}, "do not go together"),
        ({"train.learning_rate": {"low": 0.1, "high": 7}}, "'train.learning_rate'.*less than or"),
        ({"train.learning_rate": {"low": "a", "high": 7}}, "'space.train.learning_rate.low'"),
        ({"train.epochs": {"lwo": 1, "high": 2}}, "did you mean 'low'"),
        ({"train.epochs": 3}, "'space.train.epochs"),
        ({"train.decay": {"choices": ["cosine", "steps"]}}, "s.toml, space.'train.decay'"),
        ({"train.decay": {"choices": ["none", "none"]}}, "'none' is there twice"),
        ({"towers.dimension": {"choices": [8, "8"]}}, "two choices of .* read the same: 8"),
        ({"towers.history": {"choices": [{"name": "lstm"}]}}, "'towers.history'"),
        ({"towers.history": {"choices": ["mean"]}}, "'towers.history'"),
        ({"train.decay": {"choices": []}}, "at least 1 item"),
        ({}, "at least 1 item"),
    ],
)
def test_illegal_spaces_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        space(given)


def test_every_key_of_the_searched_sections_can_be_found() -> None:
    keys = set(_every_key(RunConfig))
    assert {"train.loss.temperature", "towers.history.blocks", "text.dimension"} <= keys
    assert all(fields_at(key) for key in keys)
    assert not any(key.startswith(("data", "split", "index")) for key in keys)


def test_a_key_applies_where_the_chosen_section_has_it() -> None:
    tried = space(
        {
            "towers.history.blocks": {"low": 1, "high": 2},
            "towers.history": {"choices": [{"name": "mean"}, {"name": "transformer", "heads": 1}]},
        }
    )
    combinations = tried.combinations()
    assert combinations is not None
    found = [tried.configured(drawn)["towers"]["history"] for drawn in combinations]
    assert found == [
        {"name": "mean"},
        {"name": "transformer", "heads": 1, "blocks": 1},
        {"name": "transformer", "heads": 1, "blocks": 2},
    ]


def test_a_missing_section_starts_as_the_default() -> None:
    tried = space({"train.loss.temperature": {"low": 0.1, "high": 0.1}})
    values = tried.configured({"train.loss.temperature": 0.1})
    assert values["train"]["loss"] == {"name": "full-softmax", "temperature": 0.1}
    assert parse_config(values, RunConfig).train.loss.temperature == 0.1
    assert "train" not in BASE, "the base's own values changed"
    assert not set_key({}, "text.dimension", 8), "there is no encoder that could have a dimension"


def test_drawn_numbers_are_rounded_within_their_range() -> None:
    tried = space({"train.learning_rate": {"low": 0.00012345, "high": 0.1}})
    assert tried.chosen({"train.learning_rate": 0.0123456}) == {"train.learning_rate": 0.01235}
    assert tried.chosen({"train.learning_rate": 0.00012345}) == {"train.learning_rate": 0.00012345}


def test_a_value_that_needs_another_key_is_not_refused() -> None:
    base = {**BASE, "towers": {"projection": "mlp"}}
    given = {
        "towers.initial": {"choices": ["random", "identity"]},
        "towers.projection": {"choices": ["linear", "mlp"]},
    }
    assert len(list(space(given, base).combinations() or ())) == 4


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"train.epochs": {"low": 2, "high": 5}}, 4),
        ({"train.epochs": {"low": 2, "high": 7, "step": 2}}, 3),
        ({"train.learning_rate": {"low": 0.1, "high": 0.35, "step": 0.1}}, 3),
        ({"train.learning_rate": {"low": 0.1, "high": 0.1}}, 1),
        ({"train.learning_rate": {"low": 0.1, "high": 0.2}}, None),
        ({"train.batch_positions": {"low": 2, "high": 1_000_000}}, None),
    ],
)
def test_combinations_are_counted(given: dict[str, Any], count: int | None) -> None:
    found = space(given).combinations()
    assert (None if found is None else len(list(found))) == count
