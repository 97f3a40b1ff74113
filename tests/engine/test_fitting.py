"""The run of a fit: its configuration, its inputs, and bad rows. Nothing is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from recsys.config import parse_config
from recsys.engine.fitting import PRESETS, prepare
from recsys.errors import ConfigError, DataError, InvalidRequestError, NotFoundError
from recsys.features import attribute_block
from recsys.pipeline import Job, RunConfig, run_job
from tests.engine.frames import QUICK, shop_frames
from tests.engine.test_item_recognition import SHOP

LOG = pd.DataFrame({"user": [1, 1, 2], "item": ["a", "b", "a"]})
ITEMS = pd.DataFrame({"item": ["a", "b"], "title": ["Red lamp", "Blue rug"]})


def ingested(folder: Path, *tables: Any, config: Any = None, **options: Any) -> Job:
    job, _ = prepare(*tables, config=config, folder=folder, **options)
    run_job(job, until="ingest")
    return job


def test_settings_are_chosen_from_the_data_and_overridden(tmp_path: Path) -> None:
    visits, products = shop_frames(tmp_path / "files")
    overrides = {"towers": {"dimension": 8}, "seed": 5}
    job = ingested(tmp_path / "run", visits, products, overrides=overrides)
    assert job.config.split.protocol == "leave-last-out"
    assert job.config.towers.dimension == 8 and job.config.towers.item_id == "delta"
    assert job.config.train.seed == 5
    assert job.config.spaces == ("two_tower", "text")
    assert job.config.data.integer_ids == ("user",)
    assert {choice.section for choice in job.choices} >= {"split", "towers", "train"}


def test_a_configuration_is_a_mapping_a_file_or_an_object(tmp_path: Path) -> None:
    toml = 'name = "mine"\n[towers]\ndimension = 12\n[data.policy]\nbad_rows = "skip"\n'
    (tmp_path / "mine.toml").write_text(toml + "[evaluation]\noracle = 'best.json'\n")
    job = ingested(tmp_path / "a", LOG, config=tmp_path / "mine.toml")
    assert (job.config.name, job.config.towers.dimension) == ("mine", 12)
    assert job.config.data.policy.bad_rows == "skip"
    assert job.path(job.config.evaluation.oracle or "").resolve() == tmp_path / "best.json"
    job = ingested(
        tmp_path / "b", LOG, config={**QUICK, "text": None, "spaces": ["two_tower"]}, name="other"
    )
    assert (job.config.name, job.config.towers.dimension, job.config.text) == ("other", 8, None)
    log = {"interactions": {"format": "csv", "path": "gone.csv"}}
    whole = parse_config({"name": "whole", "data": log, "seed": 4}, RunConfig)
    job = ingested(tmp_path / "c", LOG, ITEMS, config=whole)
    assert job.config.text is None and job.config.seed == 4
    assert job.config.data.fields.text == ("title",)
    assert job.ingested.catalogue.titles() == ["Red lamp", "Blue rug"]


def test_a_preset_is_found_by_its_name(tmp_path: Path) -> None:
    job, _ = prepare(LOG, ITEMS, "amazon-beauty", folder=tmp_path)
    assert job.given.name == "amazon-beauty"
    with pytest.raises(NotFoundError, match=r"nor a preset; did you mean 'amazon-beauty'\?"):
        prepare(LOG, ITEMS, "amazon-beuty", folder=tmp_path)
    assert (PRESETS / "demo.toml").is_file()


def test_faults_of_settings_are_reported_before_the_data_are_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown key 'tower': did you mean 'towers'"):
        prepare(LOG, folder=tmp_path, overrides={"tower": {"dimension": 8}})
    with pytest.raises(InvalidRequestError, match="belong to a table of items"):
        prepare(LOG, folder=tmp_path, pictures=tmp_path)
    with pytest.raises(InvalidRequestError, match="belong to a table of items"):
        prepare(LOG, folder=tmp_path, fields={"title": "name"})


@pytest.mark.parametrize(
    ("log", "items", "message", "policy"),
    [
        ({"user": [1, None], "item": ["a", "b"]}, None, "missing user_id", {"bad_rows": "skip"}),
        ({"user": [1, 2], "item": ["a", "c"]}, ITEMS, "not in the items table .*'c'",)
        + ({"unknown_items": "skip"},),
        ({"user": [1], "item": ["a"]}, pd.concat([ITEMS, ITEMS]), "more than once",)
        + ({"duplicate_items": "keep-first"},),
        ({"user": [1, 2], "item": ["a", "b"], "at": ["2024-01-05", "soon"]}, None, "got 'soon'",)
        + ({"bad_rows": "skip"},),
    ],
    ids=["missing", "unknown", "twice", "time"],
)  # fmt: skip
def test_bad_rows_are_refused_or_skipped_by_a_policy(
    log: dict[str, Any],
    items: pd.DataFrame | None,
    message: str,
    policy: dict[str, str],
    tmp_path: Path,
) -> None:
    frame = pd.DataFrame(log)
    with pytest.raises(DataError, match=message):
        ingested(tmp_path, frame, items)
    assert len(ingested(tmp_path, frame, items, policy=policy).ingested.interactions) == 1


def test_searches_bring_terms(tmp_path: Path) -> None:
    searches = pd.DataFrame({"user": [1], "item": ["b"], "query": ["blue"], "noise": [1]})
    job = ingested(tmp_path, LOG, ITEMS, searches=searches)
    assert job.ingested.interactions.phrases == ("", "blue")
    with pytest.raises(DataError, match="searches: no column was recognised as the terms"):
        prepare(LOG, ITEMS, searches=searches.drop(columns="query"), folder=tmp_path)


def test_ids_are_integers_where_both_tables_hold_integers(tmp_path: Path) -> None:
    log = LOG.assign(item=[1, 2, 1])
    for ids, expected in (([1, 2, 3], ("user", "item")), (["1", "2", "new"], ("user",))):
        _, inputs = prepare(log, pd.DataFrame({"item": ids}), folder=tmp_path)
        assert inputs.integer_ids == expected


def test_every_recognised_column_can_be_ingested(tmp_path: Path) -> None:
    log = pd.DataFrame({"user": [1, 1], "sku": ["l-0", "l-1"]})
    job = ingested(tmp_path, log, pd.DataFrame(SHOP))
    block, schema = attribute_block(job.ingested.catalogue)
    assert {"kind=desk", "tags=warm", "colours=red", "new=True", "stock"} <= set(schema.columns)
    assert block.mask.all()
    assert job.ingested.catalogue.texts()[1] == "Lamp 1 A lamp that shines with 1 watts"


def test_paths_are_read_where_they_are(tmp_path: Path) -> None:
    LOG.to_csv(tmp_path / "log.csv", index=False)
    ITEMS.to_parquet(tmp_path / "items.parquet")
    job = ingested(tmp_path / "run", tmp_path / "log.csv", str(tmp_path / "items.parquet"))
    assert job.ingested.interactions.users.ids([0, 1]) == ["1", "2"]  # type: ignore[arg-type]
    assert job.config.data.integer_ids == ()
    assert not (tmp_path / "run/inputs").exists()
