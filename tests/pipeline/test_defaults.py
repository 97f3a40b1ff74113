"""Sections that a configuration leaves out are chosen from the data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.catalogue import catalogue_of_ids
from recsys.config import read_toml
from recsys.errors import ConfigError
from recsys.formats.sources import CsvInteractions
from recsys.ids import IdMap
from recsys.ingestion import IngestedData
from recsys.interactions import Interactions
from recsys.pipeline import DataProfile, Observer, PartialConfig, load_run_config, open_job, run_job
from recsys.pipeline.defaults import choose
from recsys.pipeline.defaults.profile import clock_of, order_of
from tests.pipeline.tiny import write_tiny

LOG = {"name": "mine", "data": {"interactions": {"format": "csv", "path": "log.csv"}}}
SIZES = {"users": 5_000, "items": 8_000, "interactions": 200_000, "order": 2.0, "history": 18.0}


def profile(**changes: object) -> DataProfile:
    return DataProfile(**{**SIZES, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "history", "loss"),
    [
        ({}, "transformer", "full-softmax"),
        ({"history": 160.0}, "hstu", "full-softmax"),
        ({"items": 500_000}, "transformer", "sampled-softmax"),
        ({"interactions": 900}, "mean", "full-softmax"),
        ({"clock": "none"}, "none", "set-softmax"),
        ({"order": 1.0}, "none", "set-softmax"),
        ({"order": 1.0, "texts": 1.0}, "mean", "full-softmax"),
    ],
)
def test_every_profile_gives_a_valid_configuration(changes, history, loss):
    made = PartialConfig(LOG).complete(profile(**changes)).config
    assert (made.towers.history.name, made.train.loss.name) == (history, loss)


def test_purchases_are_the_targets_of_a_split_by_time():
    made = PartialConfig(LOG).complete(profile(purchases=("buy",)))
    assert (made.config.split.target_events, made.config.split.repeats) == (("buy",), "keep-last")
    assert "its targets are 'buy'" in str(made.choices[0])
    assert PartialConfig(LOG).complete(profile()).config.split.target_events is None


@pytest.mark.parametrize(
    ("kinds", "purchases"),
    [(["view", "Buy"], ("Buy",)), (["view", "cart"], ()), (["buy", "buy"], ())],
)
def test_purchases_are_recognised_by_the_names_of_kinds(kinds, purchases):
    rows = np.arange(4_000)
    names = sorted(set(kinds))
    log = Interactions.of(
        IdMap.of("user", ["ann"]),
        IdMap.of("item", ["a", "b"]),
        user=rows * 0,
        item=rows % 2,
        time=rows,
        context={"event": IdMap.of("event", names)},
        context_rows={"event": [names.index(kinds[row % 2]) for row in rows]},
    )
    data = IngestedData(log, catalogue_of_ids(["a", "b"]), None)
    source = CsvInteractions(path="log.csv")
    assert DataProfile.of(data, source).purchases == purchases
    assert DataProfile.of(replace(data, interactions=log.take(rows < 900)), source).purchases == ()


def test_encoders_are_chosen_for_the_contents_of_items():
    data = {**LOG["data"], "pictures": "photos"}
    partial = PartialConfig({"name": "mine", "data": data})
    both = partial.complete(profile(texts=1.0, pictures=0.4)).config
    assert both.spaces == ("two_tower", "text", "image")
    assert (both.text.name, both.image.name) == ("bag-of-words", "auto-encoder")
    neither = partial.complete(profile()).config
    assert (neither.text, neither.image, neither.spaces) == (None, None, ("two_tower",))


def test_a_section_that_is_given_takes_the_defaults_of_its_class():
    given = {**LOG, "towers": {"dimension": 16}}
    made = PartialConfig(given).complete(profile(history=160.0))
    assert made.config.towers.history.name == "transformer"
    assert made.config.train.epochs == 24
    assert "towers" not in {choice.section for choice in made.choices}


def test_overrides_are_merged_over_chosen_settings():
    overrides = {"towers": {"dimension": 32, "history": {"blocks": 1}}, "text": None}
    made = PartialConfig(LOG, overrides).complete(profile(history=160.0, texts=1.0)).config
    assert (made.towers.dimension, made.towers.history.name) == (32, "hstu")
    assert (made.towers.history.blocks, made.towers.history.window) == (1, 200)
    assert made.text is None and made.spaces == ("two_tower",)


def test_complete_values_have_the_same_meaning_as_a_file() -> None:
    data = profile(texts=1.0)
    made = PartialConfig(LOG, {"text": None}).complete(data)
    again = PartialConfig(dict(made.values)).complete(data)
    assert made.values["text"] == "none" and again.choices == ()
    assert again.config == made.config


def test_a_history_of_another_kind_replaces_the_chosen_one():
    overrides = {"towers": {"history": {"name": "mean"}}}
    made = PartialConfig(LOG, overrides).complete(profile(history=160.0)).config
    assert made.towers.history.name == "mean" and made.towers.dimension == 96


def test_a_fault_in_a_given_section_is_reported_before_the_data_are_read():
    with pytest.raises(ConfigError, match="did you mean 'dimension'"):
        PartialConfig({**LOG, "towers": {"dimensoin": 16}})


def test_the_publishers_parts_are_the_split():
    assert choose(profile(parts=("test", "train")))["split"].settings == {
        "protocol": "fixed",
        "validation_share": 0.1,
    }


def test_files_without_order_are_recognised():
    users, items = IdMap.of("user", ["a"]), IdMap.of("item", list("pqrst"))

    def log(item: list[int], time: list[int], clock: str = "timestamp") -> Interactions:
        user = np.zeros(len(item), int)
        return Interactions.of(users, items, user=user, item=item, time=time, clock=clock)

    assert clock_of(log([3, 1, 2], [10, 20, 30])) == "times"
    assert clock_of(log([3, 1, 2], [10, 10, 10])) == "none"
    assert clock_of(log([3, 1, 2], [0, 1, 2], "position")) == "positions"
    assert clock_of(log([1, 2, 3], [0, 1, 2], "position")) == "none"


def test_the_order_of_histories_is_measured() -> None:
    users, items = IdMap.of("user", map(str, range(60))), IdMap.of("item", map(str, range(40)))
    rng = np.random.default_rng(2)
    user, time = np.repeat(np.arange(60), 12), np.tile(np.arange(12), 60)
    walks = (rng.integers(40, size=60)[:, None] + np.arange(12)) % 40
    shuffled = rng.permuted(walks, axis=1)
    walking, set_like = (
        Interactions.of(users, items, user=user, item=each.ravel(), time=time)
        for each in (walks, shuffled)
    )
    assert order_of(walking) > 1.5
    assert order_of(set_like) == pytest.approx(1.0, abs=0.15)
    assert order_of(walking) == order_of(walking)


def test_items_that_come_late_count_as_cold() -> None:
    users, items = IdMap.of("user", ["a"]), IdMap.of("item", list("pqrst"))
    log = Interactions.of(users, items, user=[0] * 10, item=[0, 1] * 4 + [2, 3], time=range(10))
    source = CsvInteractions(path="log.csv")
    ingested = IngestedData(log, catalogue_of_ids(list("pqrst")), None)  # type: ignore[arg-type]
    assert DataProfile.of(ingested, source).cold == pytest.approx(3 / 5)
    late = choose(profile(cold=0.1, texts=1.0))["towers"].settings
    assert late["id_dropout"] == 0.5 and "id_dropout" not in choose(profile())["towers"].settings


class Seen(Observer):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def chosen(self, choice: object) -> None:
        self.lines.append(str(choice))


def test_choices_are_shown_and_recorded(tmp_path: Path) -> None:
    path = write_tiny(tmp_path, pictures="skip")
    text = path.read_text()
    path.write_text(text[: text.index("[split]")] + "[evaluation]\nresamples = 10\n")
    job, seen = open_job(path, runs=tmp_path / "runs"), Seen()
    with pytest.raises(ConfigError, match="'recsys ingest CONFIG' reads them"):
        _ = job.config
    run_job(job, until="ingest", observer=seen)
    assert seen.lines[0] == (
        "[split] leave-last-out: few interactions: the last item of each user is the test"
    )
    recorded = job.folder / "config.toml"
    assert all(line in recorded.read_text() for line in seen.lines)
    assert load_run_config(recorded).model_dump(exclude={"data"}) == job.config.model_dump(
        exclude={"data"}
    )
    assert read_toml(recorded)["data"]["interactions"]["path"] == "../../log.csv"
