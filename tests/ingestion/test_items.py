"""The items table on its way in: duplicates, numbers, lists, pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue import CatalogueFields
from recsys.errors import DataError
from recsys.formats import ParquetItems, read_items
from recsys.formats.columns import UnreadValues
from recsys.ingestion import Group, IngestPolicy, ingest
from recsys.pictures import PictureStore

LOG = pd.DataFrame({"user_id": ["u"], "item_id": ["a"]})
FIELDS = CatalogueFields(
    title="title", text=("title",), categories=("tags",), numbers=("price",), image="image"
)


def items(**columns: list) -> pd.DataFrame:
    size = len(next(iter(columns.values())))
    base = {"item_id": list("abcdef")[:size], "title": ["T"] * size, "tags": ["x"] * size}
    return pd.DataFrame({**base, "price": [1.0] * size, "image": ["p.png"] * size, **columns})


def test_the_catalogue_keeps_the_order_and_every_column() -> None:
    made = ingest(LOG, items(item_id=["b", "a"], extra=[1, 2]), FIELDS).catalogue
    assert made.ids.ids(np.arange(2)) == ["b", "a"]
    assert made.table.column_names == ["item_id", "title", "tags", "price", "image", "extra"]


@pytest.mark.parametrize(("policy", "title"), [("keep-first", "one"), ("keep-last", "two")])
def test_a_duplicate_item(policy: str, title: str) -> None:
    table = items(item_id=["a", "b", "a"], title=["one", "other", "two"])
    text = r"items, row [13]: the item_id is in the table more than once \('a'\).*duplicate_items"
    with pytest.raises(DataError, match=text):
        ingest(LOG, table, FIELDS)
    made = ingest(LOG, table, FIELDS, IngestPolicy(duplicate_items=policy))
    catalogue = made.catalogue
    assert catalogue.titles()[catalogue.ids.row("a")] == title
    assert (made.report.items.read, made.report.items.kept) == (3, 2)
    assert made.report.items.dropped[0].rows == ((3,) if policy == "keep-first" else (1,))


@pytest.mark.parametrize("value", ["cheap", "inf", "1,5", "1,299.00"])
def test_an_invalid_number_is_refused_or_missing(value: str) -> None:
    table = items(item_id=["a", "b"], price=["2.5", value])
    text = r"items, row 2: 'price' is not a finite number \('.*'\); fix it, or set bad_rows"
    with pytest.raises(DataError, match=text):
        ingest(LOG, table, FIELDS)
    made = ingest(LOG, table, FIELDS, IngestPolicy(bad_rows="skip"))
    assert made.catalogue.table["price"].to_pylist() == [2.5, None]
    assert made.report.items is not None
    assert (made.report.items.kept, made.report.items.dropped) == (2, ())
    (missing,) = made.report.items.missing
    assert missing.reason.startswith("not a finite number")
    assert missing == Group(missing.reason, 1, (2,), (value,), "price")


def test_an_unreadable_number_keeps_the_item_and_its_interactions() -> None:
    log = pd.DataFrame({"user_id": ["u", "v"], "item_id": ["a", "b"]})
    made = ingest(log, items(price=["1", "1,299.00"]), FIELDS, IngestPolicy(bad_rows="skip"))
    assert made.report.interactions.kept == 2
    assert (
        '  read as missing, 1: price: not a finite number; to read it, set thousands = "," in'
        " [data.items] (row 2: 1,299.00)"
    ) in made.report.lines()


def test_unreadable_numbers_of_rows_that_are_left_out_are_not_counted() -> None:
    policy = IngestPolicy(bad_rows="skip", duplicate_items="keep-first")
    table = items(item_id=["a", "a"], price=["1", "1,299.00"])
    report = ingest(LOG, table, FIELDS, policy).report.items
    assert report is not None
    assert (report.kept, report.missing) == (1, ())


def test_a_missing_number_stays_missing() -> None:
    for price in ([None, 2], ["", "2"], [np.nan, 2.0]):
        made = ingest(LOG, items(price=price), FIELDS).catalogue
        assert made.table["price"].to_pylist() == [None, 2.0]


def test_a_missing_item_id() -> None:
    table = items(item_id=["a", None])
    with pytest.raises(DataError, match="items, row 2: missing item_id"):
        ingest(LOG, table, FIELDS)
    made = ingest(LOG, table, FIELDS, IngestPolicy(bad_rows="skip"))
    assert made.report.items.kept == 1


def test_an_unreadable_item_id(tmp_path: Path) -> None:
    table = items(item_id=[1.0, 1.5])
    with pytest.raises(DataError, match="row 2: expected text or a whole number, got 1.5"):
        ingest(LOG, table, FIELDS)
    log, skip = LOG.assign(item_id="1"), IngestPolicy(bad_rows="skip")
    expected = Group("expected text or a whole number", 1, (2,), ("1.5",), "item_id")
    made = ingest(log, table, FIELDS, skip)
    assert made.report.items is not None and made.report.items.dropped == (expected,)
    table.to_parquet(tmp_path / "items.parquet")
    unread = UnreadValues()
    read = read_items(ParquetItems(path="items.parquet"), base=tmp_path, unreadable=unread)
    made = ingest(log, read, FIELDS, skip, unread={"items": unread})
    assert made.report.items is not None and made.report.items.dropped == (expected,)


def test_lists_become_separated_text() -> None:
    for tags in (
        [["x", "y"], None],
        [["x", "y"], []],
        [np.array(["x", "y"]), np.array([], object)],
    ):
        made = ingest(LOG, items(tags=tags), FIELDS).catalogue
        first, second = made.table["tags"].to_pylist()
        assert first == "x|y" and not second


def test_a_missing_column_is_refused() -> None:
    with pytest.raises(DataError, match="items: no column 'image'.*its columns: item_id, title"):
        ingest(LOG, items(title=["T"]).drop(columns="image"), FIELDS)
    with pytest.raises(DataError, match="items: no column 'item_id'; did you mean 'itemid'"):
        ingest(LOG, items(title=["T"]).rename(columns={"item_id": "itemid"}), FIELDS)


def test_fields_and_pictures_need_a_table(tmp_path: Path) -> None:
    for more in ({"fields": FIELDS}, {"pictures": PictureStore.open(tmp_path)}):
        with pytest.raises(DataError, match="belong to an items table, and there is none"):
            ingest(LOG, **more)


def test_missing_pictures_are_reported(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(b"not decoded here")
    store = PictureStore.open(tmp_path)
    table = items(image=["p.png", None, "gone.png", ""])
    made = ingest(LOG, table, FIELDS, pictures=store)
    assert made.report.pictures == (
        Group("not named", 2, (2, 4), ("item b", "item d"), "image"),
        Group("not in the store", 1, (3,), ("item c: 'gone.png'",), "image"),
    )
    assert made.report.items.kept == 4, "an item without a picture is still an item"
    assert ingest(LOG, table, FIELDS).report.pictures == made.report.pictures[:1]


def test_an_odd_picture_name_is_masked_and_named(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(b"not decoded here")
    store = PictureStore.open(tmp_path)
    names = [
        "p.png",
        "../p.png",
        "x" * 5_000,
        "/elsewhere/p.png",
        "p\x00.png",
        "http://s.example/p",
    ]
    made = ingest(LOG, items(image=names), FIELDS, pictures=store)
    assert made.catalogue.image_names == ["p.png", *[None] * 5]
    reasons = {group.rows[0]: group.reason for group in made.report.pictures}
    assert list(reasons) == [2, 3, 4, 5, 6]
    assert "File name too long" in reasons[3] and "absolute" in reasons[4]
    assert all(len(value) <= 80 for group in made.report.pictures for value in group.values)
    table = items(item_id=["a", "a", "b"], image=["p.png", "p.png", "gone.png"])
    made = ingest(LOG, table, FIELDS, IngestPolicy(duplicate_items="keep-first"), pictures=store)
    assert made.report.pictures[0].rows == (3,), "rows are those of the table"


def test_a_list_of_picture_names_is_masked_and_a_list_of_one_is_read() -> None:
    made = ingest(LOG, items(image=[["p.png"], ["a.png", "b.png"], [], None, [None]]), FIELDS)
    assert made.catalogue.image_names == ["p.png", None, None, None, None]
    assert made.report.items is not None
    assert made.report.items.missing == (
        Group("a list of several names, expected one", 1, (2,), ("['a.png', 'b.png']",), "image"),
    )
    with pytest.raises(DataError, match="column 'image' must hold single values; it holds struct"):
        ingest(LOG, items(image=[{"path": "a.png"}]), FIELDS)


def test_without_a_table_the_catalogue_has_the_items_of_the_log() -> None:
    log = pd.DataFrame({"user_id": ["u", "u", "u"], "item_id": ["z", "a", None]})
    made = ingest(log, policy=IngestPolicy(bad_rows="skip"))
    assert made.catalogue.ids.ids(np.arange(2)) == ["z", "a"]
    assert made.report.items is None
