"""A run that is trained from a store: its data, and when they are read again."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from recsys.config import parse_config
from recsys.errors import ConfigError, DataError
from recsys.files import write_toml
from recsys.formats import StoreInteractions
from recsys.pictures import PictureStore
from recsys.pipeline import Job, open_job, run_job
from recsys.pipeline.config import DataConfig
from recsys.pipeline.publishing import included_watermark
from recsys.pipeline.stage import load_record
from recsys.store import (
    InteractionRecorded,
    ItemDeleted,
    ItemUpserted,
    Store,
    UserDeleted,
    import_folder,
    open_store,
)
from tests.pipeline.tiny import write_tiny


def _configured(folder: Path, **data: Any) -> Job:
    source = {"format": "store", "path": "store.db"}
    content = {"name": "from-store", "data": {"interactions": source, "items": source} | data}
    write_toml(folder / "run.toml", content)
    return open_job(folder / "run.toml", runs=folder / "runs")


def _ingested(folder: Path, **data: Any) -> tuple[Job, bool]:
    """The run with its data, and whether they were read again."""
    job = _configured(folder, **data)
    (result,) = run_job(job, until="ingest")
    return job, not result.reused


def _png(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "PNG")
    return file.getvalue()


def _fill(store: Store) -> None:
    store.append(
        [
            ItemUpserted("lamp", "Lamp", "light", {"tags": ["a", "b"], "price": 2, "new": True}),
            ItemUpserted("rug", "Rug", attributes={"maker": "x|y"}, picture=_png("red")),
            ItemUpserted("gone", "Gone", picture=_png("blue")),
            ItemDeleted("gone"),
            *(InteractionRecorded(user, "lamp", 10, "view") for user in ("ann", "bob")),
            InteractionRecorded("ann", "rug", 20, "buy", terms="red rug"),
            InteractionRecorded("ann", "gone", 30),
        ]
    )


def test_the_data_of_a_store_are_those_of_its_import(tmp_path: Path) -> None:
    first = open_job(write_tiny(tmp_path), runs=tmp_path / "runs")
    run_job(first, until="ingest")
    with open_store(tmp_path / "store.db") as store:
        import_folder(store, first.folder, pictures=PictureStore.open(tmp_path / "photos"))
    job, _ = _ingested(tmp_path)
    log, expected = job.ingested.interactions, first.ingested.interactions
    for user in expected.users.index:
        row, known = log.users.row(user), expected.users.row(user)
        assert log.items.ids(log.history(row)) == expected.items.ids(expected.history(known))
        assert log.times(row).tolist() == expected.times(known).tolist()
    assert sorted(log.phrases) == sorted(expected.phrases)
    catalogue, before = job.ingested.catalogue, first.ingested.catalogue
    assert catalogue.ids.index.tolist() == sorted(before.ids.index)
    rows = [before.ids.row(each) for each in catalogue.ids.index]
    assert catalogue.titles() == [before.titles()[row] for row in rows]
    assert [text.strip() for text in catalogue.texts()] == [before.texts()[row] for row in rows]
    assert catalogue.fields.categories == ("colour",)
    assert [catalogue.image(n) for n in range(30)] == [before.image(row) for row in rows]


def test_columns_get_their_meaning_from_their_types(tmp_path: Path) -> None:
    with open_store(tmp_path / "store.db") as store:
        _fill(store)
    job, _ = _ingested(tmp_path)
    fields, catalogue = job.ingested.catalogue.fields, job.ingested.catalogue
    assert catalogue.ids.index.tolist() == ["lamp", "rug"]
    assert (fields.categories, fields.numbers) == (("tags",), ("price",))
    assert fields.filters == {"new": "boolean", "maker": "text"}
    assert catalogue.texts() == ["Lamp light", "Rug "]
    assert catalogue.image(0) is None and catalogue.image(1) == _png("red")
    log = job.ingested.interactions
    assert len(log) == 3 and log.phrases == ("", "red rug")
    assert job.ingested.report.interactions.dropped[0].count == 1


def test_data_are_read_again_when_the_store_has_advanced(tmp_path: Path) -> None:
    with open_store(tmp_path / "store.db") as store:
        _fill(store)
        assert _ingested(tmp_path)[1]
        assert not _ingested(tmp_path)[1]
        store.append([InteractionRecorded("eve", "rug", 40)])
        job, again = _ingested(tmp_path)
        assert again and len(job.ingested.interactions) == 4
        record = load_record(job.folder / "ingest")
        assert record is not None and included_watermark(record["notes"]["stores"]) == 9
        store.append([UserDeleted("ann")])
        assert len(_ingested(tmp_path)[0].ingested.interactions) == 2


def test_a_watermark_fixes_the_data(tmp_path: Path) -> None:
    fixed = {"format": "store", "path": "store.db", "watermark": 8}
    sections = {"interactions": fixed, "items": fixed}
    with open_store(tmp_path / "store.db") as store:
        _fill(store)
        assert _ingested(tmp_path, **sections)[1]
        store.append([InteractionRecorded("eve", "rug", 40), ItemDeleted("rug")])
        job, again = _ingested(tmp_path, **sections)
        assert not again and len(job.ingested.interactions) == 3


def test_a_store_without_interactions_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data.interactions: there is no store at .*store.db"):
        _ingested(tmp_path)
    open_store(tmp_path / "store.db").close()
    with pytest.raises(DataError, match="no interactions up to 0; record or import some first"):
        _ingested(tmp_path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "give the path of a SQLite file, or the url"),
        ({"path": "a", "url": "postgresql://h/d"}, "give the path of a SQLite file, or the url"),
        ({"url": "postgresql://me:secret@h/d"}, "url"),
        ({"url": "mysql://h/d"}, "url"),
    ],
)
def test_a_store_has_one_location_without_a_password(
    values: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config({"format": "store", **values}, StoreInteractions)
    url = "postgresql://me@/d?host=/tmp/socket"
    assert parse_config({"url": url}, StoreInteractions).url == url


def test_items_of_a_store_need_its_interactions() -> None:
    log, items = {"format": "csv", "path": "log.csv"}, {"format": "store", "path": "store.db"}
    with pytest.raises(ConfigError, match="read both from the store"):
        parse_config({"interactions": log, "items": items}, DataConfig)


def test_pictures_come_from_the_store(tmp_path: Path) -> None:
    source = {"format": "store", "path": "store.db"}
    values = {"interactions": source, "items": source, "pictures": "photos"}
    with pytest.raises(ConfigError, match="leave data.pictures out"):
        parse_config(values, DataConfig)
