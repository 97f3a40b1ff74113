"""Ids and rows: a two-way map that refuses ambiguous ids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import DataError, UnknownIdError
from recsys.ids import IdMap

ITEMS = IdMap.of("item", ["lamp", "rug", "007"])


def test_rows_are_in_the_order_given() -> None:
    assert [ITEMS.row(value) for value in ("lamp", "rug", "007")] == [0, 1, 2]
    assert ITEMS.id(2) == "007"
    assert ITEMS.ids(np.array([2, 0, 2], np.int32)) == ["007", "lamp", "007"]
    assert len(ITEMS) == 3


def test_rows_are_int32() -> None:
    for values in (["rug", "lamp", "rug"], []):
        assert ITEMS.rows(values).dtype == np.int32
    assert ITEMS.rows(["rug", "lamp", "rug"]).tolist() == [1, 0, 1]


@given(st.lists(st.text(min_size=1), unique=True))
def test_ids_survive_the_way_to_rows_and_back(ids: list[str]) -> None:
    made = IdMap.of("user", ids)
    rows = made.rows(ids)
    assert rows.tolist() == list(range(len(ids)))
    assert made.ids(rows) == ids
    assert all(value in made for value in ids)


def test_membership() -> None:
    assert "lamp" in ITEMS
    for value in ("Lamp", "", " lamp", "7", None, 7, float("nan")):
        assert value not in ITEMS


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        (["a", ""], "item ids must be non-empty strings; position 1 holds ''"),
        (["a", None], "position 1 holds None"),
        ([7], "position 0 holds 7"),
        ([float("nan")], "position 0 holds nan"),
        (["a", "b", "a"], "item id 'a' is there more than once; ids must be unique"),
    ],
)
def test_invalid_ids_are_refused(ids: list, text: str) -> None:
    with pytest.raises(DataError, match=text):
        IdMap.of("item", ids)


def test_the_error_of_an_unknown_id_names_similar_ids() -> None:
    text = "unknown item id 'lampp': not among the 3 known; did you mean 'lamp'?"
    with pytest.raises(UnknownIdError, match=text) as raised:
        ITEMS.row("lampp")
    assert raised.value.field == "item_id"
    with pytest.raises(UnknownIdError, match="unknown item id 'zzzz': not among the 3 known$"):
        ITEMS.rows(["lamp", "zzzz"])
    with pytest.raises(UnknownIdError) as long:
        ITEMS.row("x" * 10_000)
    assert len(str(long.value)) < 200
    with pytest.raises(UnknownIdError, match="among the 0 known"):
        IdMap.of("item", []).row("a")


def test_unknown_ids_may_be_skipped() -> None:
    assert ITEMS.rows(["x", "rug", "y", "lamp"], unknown="skip").tolist() == [1, 0]
    assert ITEMS.rows(["x"], unknown="skip").tolist() == []
