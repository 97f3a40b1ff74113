"""The catalogue: its columns, and the values for missing cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue import Catalogue, CatalogueFields, catalogue_of_ids
from recsys.config import parse_config
from recsys.errors import ConfigError, DataError
from recsys.pictures import PictureStore

TABLE = pd.DataFrame(
    {
        "item_id": ["b", "a", "c"],
        "title": [" Lamp ", None, ""],
        "description": ["of brass", "no title", np.nan],
        "year": pd.array([1999, None, 2000], dtype="Int64"),
        "image": ["l.png", None, "gone.png"],
    }
)
FIELDS = CatalogueFields(title="title", text=("title", "description"), image="image")


def test_text_is_joined_in_the_order_of_the_fields() -> None:
    made = Catalogue.of(TABLE, FIELDS)
    assert [text.strip() for text in made.texts()] == ["Lamp of brass", "no title", ""]
    swapped = Catalogue.of(TABLE, CatalogueFields(text=("description", "title", "year")))
    assert swapped.texts()[0] == "of brass Lamp 1999"


def test_titles_fall_back_on_the_id() -> None:
    assert Catalogue.of(TABLE, FIELDS).titles() == ["Lamp", "a", "c"]
    assert Catalogue.of(TABLE, CatalogueFields()).titles() == ["b", "a", "c"]


def test_titles_of_rows_are_none_where_an_item_has_none() -> None:
    rows = np.array([1, 0, 0], np.int32)
    assert Catalogue.of(TABLE, FIELDS).titles_at(rows) == [None, "Lamp", "Lamp"]
    assert Catalogue.of(TABLE, CatalogueFields()).titles_at(rows) == [None, None, None]


def test_rows_do_not_depend_on_the_index_of_the_table() -> None:
    made = Catalogue.of(TABLE.set_index(pd.Index([5, 5, 5])), FIELDS)
    assert made.ids.ids(np.arange(3)) == ["b", "a", "c"]
    assert made.table["item_id"].to_pylist() == ["b", "a", "c"] and len(made) == 3


def test_pictures(tmp_path: Path) -> None:
    (tmp_path / "l.png").write_bytes(b"lamp")
    made = Catalogue.of(TABLE, FIELDS, PictureStore.open(tmp_path))
    assert made.image_names == ["l.png", None, "gone.png"]
    assert [made.image(row) for row in range(3)] == [b"lamp", None, None]
    assert Catalogue.of(TABLE, FIELDS).image(0) is None
    assert Catalogue.of(TABLE, CatalogueFields()).image_names == [None] * 3


@pytest.mark.parametrize(
    ("fields", "column"),
    [
        (CatalogueFields(title="name"), "name"),
        (CatalogueFields(text=("title", "plot")), "plot"),
        (CatalogueFields(categories=("genre",)), "genre"),
        (CatalogueFields(numbers=("price",)), "price"),
        (CatalogueFields(image="poster"), "poster"),
    ],
)
def test_a_missing_column_is_refused(fields: CatalogueFields, column: str) -> None:
    text = f"the catalogue: no column '{column}'.*its columns: item_id, title, description"
    with pytest.raises(DataError, match=text):
        Catalogue.of(TABLE, fields)


def test_invalid_ids_are_refused() -> None:
    with pytest.raises(DataError, match="no column 'item_id'"):
        Catalogue.of(TABLE.drop(columns="item_id"), CatalogueFields())
    with pytest.raises(DataError, match="item id 'a' is there more than once"):
        Catalogue.of(pd.DataFrame({"item_id": ["a", "a"]}), CatalogueFields())


def test_a_catalogue_with_ids_only() -> None:
    made = catalogue_of_ids(["x", "y"])
    assert made.titles() == ["x", "y"] and made.texts() == ["", ""]
    assert catalogue_of_ids([]).texts() == []


def test_a_type_for_filters_that_contradicts_the_meaning_is_refused() -> None:
    fields = CatalogueFields(numbers=("price",), filters={"price": "number", "stock": "number"})
    assert fields.number_columns() == ["price", "stock"]
    with pytest.raises(ConfigError, match="'price' is among numbers, whose type is number, not t"):
        parse_config({"numbers": ["price"], "filters": {"price": "text"}}, CatalogueFields)
    with pytest.raises(ConfigError, match="'filters.at': .*'text', 'texts', 'number'"):
        parse_config({"filters": {"at": "date"}}, CatalogueFields)
