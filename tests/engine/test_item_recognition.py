"""Columns of items are recognised by name and value."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from recsys.catalogue import CatalogueFields
from recsys.engine.inputs import InputTable
from recsys.engine.item_recognition import RecognisedItems, recognise_items
from recsys.errors import ConfigError, DataError

COUNT = 60
SHOP: dict[str, Any] = {
    "Product-Name": [f"Lamp {n}" for n in range(COUNT)],
    "sku": [f"l-{n}" for n in range(COUNT)],
    "about": [f"A lamp that shines with {n} watts" for n in range(COUNT)],
    "kind": ["desk", "floor", "wall"] * 20,
    "tags": ["warm|soft", "cold", "warm|dim"] * 20,
    "colours": [["red", "blue"], ["red"], []] * 20,
    "price": [str(n / 2) for n in range(COUNT)],
    "stock": range(COUNT),
    "shelf_id": [1, 2, 3] * 20,
    "ean": range(10**12, 10**12 + COUNT),
    "new": [True, False, True] * 20,
    "photo": [f"{n}.JPG" for n in range(COUNT)],
    "page": [f"https://shop.example/{n}" for n in range(COUNT)],
    "added": ["2024-01-05"] * COUNT,
    "currency": ["EUR"] * COUNT,
    "code": [f"x{n}" for n in range(COUNT)],
    "empty": [None] * COUNT,
}


def recognised(
    columns: dict[str, Any], given: dict[str, Any] | None = None, **options: Any
) -> RecognisedItems:
    return recognise_items(InputTable.of(pd.DataFrame(columns), "items").table, given, **options)


def test_every_kind_of_column_is_recognised() -> None:
    found = recognised({**SHOP, "price": [n / 2 for n in range(COUNT)]}, pictures=True)
    assert found.item == "sku"
    assert found.fields == CatalogueFields(
        title="Product-Name",
        text=("Product-Name", "about"),
        categories=("kind", "tags", "colours", "shelf_id", "new"),
        numbers=("price", "stock"),
        filters={"new": "boolean", "added": "time"},
        image="photo",
    )
    assert found.unused == {
        "ean": "codes",
        "page": "addresses",
        "currency": "one value only",
        "code": "single words, most of them distinct",
        "empty": "empty",
    }


def test_without_picture_files_no_column_names_them() -> None:
    found = recognised(SHOP)
    assert found.fields.image is None
    assert found.unused["photo"] == "no picture files were given"


def test_the_ids_have_the_name_that_they_have_in_the_log() -> None:
    table = {"id": ["a", "b"], "sku": ["c", "d"], "SKU ": ["e", "f"]}
    assert recognised(table, log_item="id").item == "id"
    assert recognised({"id": ["a"], "x": ["b"]}).item == "id"
    assert recognised({"Thing": ["a"], "id": ["b"]}, log_item="thing").item == "Thing"
    with pytest.raises(DataError, match=r"recognised as the item ids .*fields=\{'item': ...\}"):
        recognised({"x": ["a"]})


def test_given_fields_come_before_recognised_ones() -> None:
    found = recognised(SHOP, {"item": "code", "text": ["about"], "categories": [], "numbers": []})
    assert found.item == "code"
    assert found.fields.text == ("about",)
    assert found.fields.categories == found.fields.numbers == ()
    assert found.unused["stock"] == "others are named"
    titled = recognised(SHOP, {"title": "about"})
    assert titled.fields.title == "about"
    assert titled.fields.text == ("about", "Product-Name")
    with pytest.raises(DataError, match="no column 'abut'; did you mean 'about'"):
        recognised(SHOP, {"text": ["abut"]})
    with pytest.raises(ConfigError, match="unknown key 'texts'"):
        recognised(SHOP, {"texts": ["about"]})


def test_the_separator_of_categories_is_found() -> None:
    genres = ["Drama, Comedy", "Comedy", "Drama", "War, Drama"] * 15
    found = recognised({"item": range(COUNT), "genres": genres})
    assert found.fields.separator == "," and found.fields.categories == ("genres",)


def test_the_column_of_pictures_must_be_clear() -> None:
    with pytest.raises(DataError, match=r"no column names their files .*fields=\{'image'"):
        recognised({"item": ["a"], "title": ["b"]}, pictures=True)
    two = {"item": ["a"], "front": ["a.png"], "back": ["b.png"]}
    with pytest.raises(DataError, match="'front', 'back' all name picture files"):
        recognised(two, pictures=True)
    assert recognised(two, {"image": "back"}, pictures=True).fields.image == "back"


def test_without_a_known_name_the_shortest_text_is_the_title() -> None:
    found = recognised({"item": range(COUNT), "about": SHOP["about"], "line": SHOP["Product-Name"]})
    assert found.fields.title == "line"
    assert found.fields.text == ("line", "about")


def test_truth_values_and_times_are_columns_for_filters() -> None:
    truths = ["True", "FALSE", "true"] * 20
    times = {"at": ["2024-01-05T10:00:00Z"] * COUNT, "odd": ["2024-01-05", "0000-00-00"] * 30}
    found = recognised({"sku": SHOP["sku"], "sold_out": truths, **times})
    assert found.fields.filters == {"sold_out": "boolean", "at": "time"}
    assert found.fields.categories == ("sold_out",)
    assert found.unused == {"odd": "dates"}
    assert found.describe().endswith(
        "filters = 'sold_out' (boolean), 'at' (time); not used: 'odd' (dates)"
    )
    given = recognised({"sku": SHOP["sku"], **times}, {"filters": {"at": "text"}})
    assert given.fields.filters == {"at": "text"}
