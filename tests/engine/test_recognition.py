"""Columns of logs are recognised by name and value; others are refused with the remedy."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from recsys.engine.inputs import InputTable
from recsys.engine.recognition import recognise_log
from recsys.errors import ConfigError, DataError

LOG = {"user": [1, 2], "item": ["a", "b"]}


def recognised(columns: dict[str, Any], given: dict[str, Any] | None = None) -> dict[str, Any]:
    table = InputTable.of(pd.DataFrame(columns), "log").table
    found = recognise_log(table, given, name="log").columns
    return found.model_dump(exclude_unset=True)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["user_id", "item_id", "timestamp"], ("user_id", "item_id", "timestamp")),
        (["userId", "movieId", "rating", "timestamp"], ("userId", "movieId", "timestamp")),
        (["ts", "visitorid", "event", "itemid"], ("visitorid", "itemid", "ts")),
        (["InvoiceNo", "StockCode", "InvoiceDate", "CustomerID"],)
        + (("CustomerID", "StockCode", "InvoiceDate"),),
        (["USER", "user_id", "asin", "parent_asin", "Date"], ("user_id", "asin", "Date")),
        (["session_id", "customer", "sku", "date", "time"], ("customer", "sku", "time")),
        (["Customer No", "Article Nr", "when"], ("Customer No", "Article Nr", "when")),
        (["session_id", "Product ID", "visited at"], ("session_id", "Product ID", "visited at")),
    ],
)
def test_common_names_are_recognised(names: list[str], expected: tuple[str, str, str]) -> None:
    values = {name: pd.to_datetime(["2024-01-05", "2024-02-05"]) for name in names}
    found = recognised(values)
    assert (found["user"], found["item"], found["timestamp"]) == expected


@pytest.mark.parametrize(
    ("times", "unit"),
    [
        ([1_700_000_000, 1_700_000_100], "s"),
        ([1_700_000_000.5, None], "s"),
        ([1_700_000_000_000, 1_700_000_000_001], "ms"),
        ([1_700_000_000_000_000, 1_700_000_000_000_001], "us"),
        ([1_700_000_000_000_000_000, 1_700_000_000_000_000_001], "ns"),
        (["2024-01-05T10:00:00Z", "2024-01-06"], "s"),
    ],
)
def test_the_unit_of_times_is_found_by_their_size(times: list[Any], unit: str) -> None:
    assert recognised({**LOG, "at": times}).get("timestamp_unit", "s") == unit


def test_numbers_that_are_dates_are_recognised() -> None:
    found = recognised({**LOG, "date": [20240131, 20231224]})
    assert (found["date_format"], "timestamp_unit" in found) == ("%Y%m%d", False)
    assert "date_format" not in recognised({**LOG, "date": [20240131, 1]})
    assert recognised({**LOG, "date": ["01/02/2024", "31/12/2023"]})["date_format"] == "%d/%m/%Y"
    assert "date_format" not in recognised({**LOG, "date": ["01/02/2024", "03/04/2024"]})


def test_the_only_column_of_times_needs_no_known_name() -> None:
    assert recognised({**LOG, "bought": ["2024-01-05", "2024-01-06"]})["timestamp"] == "bought"
    two = {**LOG, "bought": ["2024-01-05"] * 2, "sent": pd.to_datetime(["2024-01-05"] * 2)}
    with pytest.raises(DataError, match="'bought', 'sent' all hold times; choose one"):
        recognised(two)
    assert recognised(two, {"timestamp": "sent"})["timestamp"] == "sent"
    assert "timestamp" not in recognised(two, {"timestamp": None})


@pytest.mark.parametrize("name", ["event", "event_type", "Action", "behavior"])
def test_kinds_of_event_are_recognised_by_name_and_few_values(name: str) -> None:
    log = {"user": list("aabb"), "item": list("xyxy")}
    assert recognised({**log, name: ["view", "buy", "view", "view"]})["event"] == name
    assert recognised({**log, name: [1, 1, 2, 1]})["event"] == name
    assert "event" not in recognised({**log, name: ["e1", "e2", "e3", "e4"]})
    assert "event" not in recognised({**log, name: [0.5, 0.5, 1.5, 0.5]})
    given = recognised({**log, name: ["view", "buy", "view", "view"]}, {"event": None})
    assert "event" not in given


def test_positions_and_terms_are_recognised() -> None:
    found = recognised({**LOG, "position": [1, 2], "query": ["red", None]})
    assert found["position"] == "position" and found["terms"] == "query"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"who": [1], "item": [2]}, r"recognised as the user .*'who', 'item'.*columns=\{'user'"),
        ({"user": [1], "thing": [2]}, r"recognised as the item .*columns=\{'item': ...\}"),
        ({"customer": [1], "member": [2], "sku": [3]}, "'customer', 'member' are equally likely"),
    ],
)
def test_unrecognised_columns_are_refused_with_the_remedy(
    columns: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        recognised(columns)


def test_given_columns_are_checked() -> None:
    with pytest.raises(DataError, match="no column 'usr'; did you mean 'user'"):
        recognised(LOG, {"user": "usr"})
    with pytest.raises(ConfigError, match="unknown key 'usr'"):
        recognised(LOG, {"usr": "user"})
    assert recognised({"a": [1], "b": [2]}, {"user": "a", "item": "b"})["user"] == "a"


def test_the_description_names_used_and_unused_columns() -> None:
    table = pa.table({"user": [1], "item": [2], "rating": [3]})
    assert recognise_log(table, name="log").describe("log") == (
        "log: user = 'user', item = 'item', no times: the order of the rows is the order in time; "
        "not used: 'rating'"
    )
