"""Columns of the items table that are read with the types of filters."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from recsys.catalogue import CatalogueFields
from recsys.errors import DataError
from recsys.ingestion import Group, IngestPolicy, ingest
from recsys.retrieval.filters import FilterColumns
from recsys_client.filters import Contains, Eq, Filter, Range

LOG = pd.DataFrame({"user_id": ["u"], "item_id": ["a"]})
FIELDS = CatalogueFields(
    filters={
        "sold_out": "boolean",
        "added": "time",
        "stock": "number",
        "tags": "texts",
        "brand": "text",
    }
)


def items(**columns: Any) -> pa.Table:
    given = {
        "item_id": ["a", "b", "c"],
        "sold_out": ["yes", " FALSE", ""],
        "added": ["2024-05-01T02:00:00+02:00", "1714521600", None],
        "stock": ["5", "0.5", ""],
        "tags": pa.array([["new", "sale"], [], None]),
        "brand": [" acme", "", None],
        **columns,
    }
    return pa.table(given)


def test_values_have_the_types_of_their_columns() -> None:
    table = ingest(LOG, items(), FIELDS).catalogue.table
    assert table["sold_out"].to_pylist() == [True, False, None]
    assert table["added"].to_pylist() == [1_714_521_600, 1_714_521_600, None]
    assert table["stock"].to_pylist() == [5.0, 0.5, None]
    assert table["tags"].to_pylist() == ["new|sale", None, None]


@pytest.mark.parametrize(
    "filter",
    [
        Eq("sold_out", True),
        Range("added", ge="2024-05-01"),
        Range("stock", gt=0.5),
        Contains("tags", "sale"),
        Eq("brand", "acme"),
    ],
)
def test_a_filter_reads_the_ingested_columns(filter: Filter) -> None:
    columns = FilterColumns.of(ingest(LOG, items(), FIELDS).catalogue)
    found = columns.rows(filter).rows.tolist()
    assert found == ([0, 1] if filter.columns == ("added",) else [0])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 0, None], [True, False, None]),
        ([1.0, 0.0, None], [True, False, None]),
        ([True, False, None], [True, False, None]),
        (["t", "N", "1"], [True, False, True]),
    ],
)
def test_truth_values_are_read_from_numbers_and_text(
    values: list[Any], expected: list[bool | None]
) -> None:
    table = ingest(LOG, items(sold_out=values), FIELDS).catalogue.table
    assert table["sold_out"].to_pylist() == expected


@pytest.mark.parametrize(
    ("column", "values", "fault", "written"),
    [
        ("sold_out", ["yes", "perhaps", ""], "not true or false", "perhaps"),
        ("sold_out", [1, 2, 0], "not true or false", "2"),
        ("added", ["2024-05-01", "soon", ""], "not a time (ISO-8601, or seconds since", "soon"),
        ("stock", ["5", "many", ""], "not a finite number", "many"),
    ],
)
def test_an_invalid_value_is_refused_or_missing(
    column: str, values: list[Any], fault: str, written: str
) -> None:
    table = items(**{column: values})
    with pytest.raises(DataError) as caught:
        ingest(LOG, table, FIELDS)
    assert f"items, row 2: '{column}' is {fault}" in str(caught.value)
    assert "set bad_rows = 'skip', which reads it as missing" in str(caught.value)
    made = ingest(LOG, table, FIELDS, IngestPolicy(bad_rows="skip"))
    assert made.catalogue.table[column].to_pylist()[1] is None
    assert made.report.items is not None
    (missing,) = made.report.items.missing
    assert missing == Group(missing.reason, 1, (2,), (written,), column)
    assert missing.reason.startswith(fault)
