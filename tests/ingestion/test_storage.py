"""Ingested data on disk: equal when loaded, whole or absent, and refused when it was changed."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue import CatalogueFields
from recsys.errors import DataError
from recsys.ingestion import (
    IngestedData,
    IngestPolicy,
    ingest,
    load_ingested,
    save_ingested,
    storage,
)
from recsys.pictures import PictureStore


@pytest.fixture
def ingested() -> IngestedData:
    log = pd.DataFrame(
        {
            "user_id": ["007", "007", "b", "b", None],
            "item_id": ["x", "y", "x", "é", "x"],
            "timestamp": [9, 3, -5, 2, 1],
            "weight": [1.5, 1.0, 0.1, 2.0, 1.0],
            "terms": ["desk lamp", None, "rug", "desk lamp", ""],
            "device": ["phone", "tablet", None, "phone", "phone"],
            "part": ["train", "train", "train", "test", "test"],
        }
    )
    items = pd.DataFrame(
        {
            "item_id": ["y", "x", "é", "new"],
            "title": ["Y", None, "É", "New"],
            "tags": [["a", "b"], [], ["c"], None],
            "price": ["1.5", "", "2", "3"],
            "year": pd.array([1999, None, 2000, 2001], dtype="Int64"),
            "image": ["y.png", None, "é.png", ""],
        }
    )
    fields = CatalogueFields(
        title="title", text=("title",), categories=("tags",), numbers=("price",), image="image"
    )
    return ingest(log, items, fields, IngestPolicy(bad_rows="skip"))


def same(one: IngestedData, other: IngestedData) -> None:
    a, b = one.interactions, other.interactions
    for left, right in ((a.users, b.users), (a.items, b.items)):
        assert list(left.index) == list(right.index) and left.kind == right.kind
    for name in ("user", "item", "time", "weight", "terms"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert getattr(a, name).dtype == getattr(b, name).dtype
    assert (a.clock, a.phrases, list(a.context)) == (b.clock, b.phrases, list(b.context))
    for name, ids in a.context.items():
        assert list(ids.index) == list(b.context[name].index)
        np.testing.assert_array_equal(a.context_rows[name], b.context_rows[name])
    assert one.catalogue.table.equals(other.catalogue.table)
    assert one.catalogue.fields == other.catalogue.fields
    assert one.report == other.report


def test_saved_data_round_trip(ingested: IngestedData, tmp_path: Path) -> None:
    fingerprint = save_ingested(ingested, tmp_path / "a" / "data")
    loaded = load_ingested(tmp_path / "a" / "data")
    same(ingested, loaded)
    assert loaded.catalogue.texts() == ingested.catalogue.texts()
    assert save_ingested(loaded, tmp_path / "again") == fingerprint
    same(ingested, load_ingested(tmp_path / "again"))


def test_the_smallest_data(tmp_path: Path) -> None:
    least = ingest(pd.DataFrame({"user_id": ["a"], "item_id": ["x"]}))
    save_ingested(least, tmp_path / "data")
    same(least, load_ingested(tmp_path / "data"))


def test_pictures_are_given_again(ingested: IngestedData, tmp_path: Path) -> None:
    save_ingested(ingested, tmp_path / "data")
    (tmp_path / "y.png").write_bytes(b"picture")
    loaded = load_ingested(tmp_path / "data", pictures=PictureStore.open(tmp_path))
    assert loaded.catalogue.image(loaded.catalogue.ids.row("y")) == b"picture"


def test_saving_again_replaces_the_folder(ingested: IngestedData, tmp_path: Path) -> None:
    save_ingested(ingest(pd.DataFrame({"user_id": ["a"], "item_id": ["x"]})), tmp_path / "data")
    save_ingested(ingested, tmp_path / "data")
    same(ingested, load_ingested(tmp_path / "data"))
    assert [path.name for path in tmp_path.iterdir()] == ["data"], "nothing else is left"


def test_another_folder_is_not_overwritten(ingested: IngestedData, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(DataError, match="is there and holds no ingested data; choose another"):
        save_ingested(ingested, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_a_failed_save_leaves_the_old_one(
    ingested: IngestedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_ingested(ingested, tmp_path / "data")

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(storage.pyarrow.parquet, "write_table", full)
    with pytest.raises(DataError, match="data cannot be written: no space left"):
        save_ingested(ingested, tmp_path / "data")
    same(ingested, load_ingested(tmp_path / "data"))
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_changed_file_is_refused(ingested: IngestedData, tmp_path: Path) -> None:
    save_ingested(ingested, tmp_path / "data")
    names = sorted(path.name for path in (tmp_path / "data").glob("*.parquet"))
    assert len(names) == 6  # log, users, phrases, catalogue, two of context
    for name in names:
        shutil.copytree(tmp_path / "data", tmp_path / "copy")
        file = tmp_path / "copy" / name
        file.write_bytes(file.read_bytes()[:-1])
        with pytest.raises(DataError, match=f"{name} was changed or cut short.*ingest again"):
            load_ingested(tmp_path / "copy")
        file.unlink()
        with pytest.raises(DataError, match=f"{name} cannot be read.*ingest again"):
            load_ingested(tmp_path / "copy")
        shutil.rmtree(tmp_path / "copy")


def signed(manifest: dict) -> str:
    """The manifest with the sum that it would have been written with."""
    manifest = {key: value for key, value in manifest.items() if key != "manifest_sha256"}
    own = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    return json.dumps(manifest | {"manifest_sha256": own})


def test_an_invalid_manifest_is_refused(ingested: IngestedData, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no ingested data .ingested.json is not there"):
        load_ingested(tmp_path)
    save_ingested(ingested, tmp_path / "data")
    file = tmp_path / "data" / "ingested.json"
    manifest = json.loads(file.read_text())
    for text, message in (
        ("{", "cannot be read"),
        ("[]", "has the format None, expected 1"),
        (json.dumps(manifest | {"format": 2}), "has the format 2, expected 1; ingest again"),
        (json.dumps(manifest | {"context": ["device"]}), "was changed: it does not have its own"),
        (signed(manifest | {"report": {}}), "does not fit its tables"),
        (signed(manifest | {"fields": {"titel": "x"}}), "did you mean 'title'"),
        (signed(manifest | {"sha256": {}}), "does not fit its tables: 'catalogue'"),
    ):
        file.write_text(text)
        with pytest.raises(DataError, match=message):
            load_ingested(tmp_path / "data")
