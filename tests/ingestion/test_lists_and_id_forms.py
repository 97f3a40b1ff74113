"""Lists in the items table, and ids that are written in other ways in other tables."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from recsys.catalogue import CatalogueFields
from recsys.errors import DataError
from recsys.ingestion import IngestPolicy, ingest

LOG = pd.DataFrame({"user_id": ["u", "u"], "item_id": ["1", "2"]})


def catalogue_of(**columns: pa.Array) -> pa.Table:
    fields = CatalogueFields(categories=tuple(columns))
    items = pa.table({"item_id": ["1", "2"], **columns})
    return ingest(LOG, items, fields).catalogue.table


def test_a_title_of_lists_is_refused() -> None:
    items = pa.table({"item_id": ["1", "2"], "names": [["a"], ["b"]]})
    with pytest.raises(DataError, match="items: column 'names' is the title and holds list"):
        ingest(LOG, items, CatalogueFields(title="names", text=("names",)))


@pytest.mark.parametrize(
    ("values", "joined"),
    [
        (pa.array([["red", None], None]), ["red", None]),
        (pa.array([[None, "red", "", "big"], []]), ["red|big", None]),
        (pa.array([["a", "b"], ["c", None]], pa.list_(pa.string(), 2)), ["a|b", "c"]),
        (pa.array([[1.0, None], [2.0, 3.0]]), ["1", "2|3"]),
        (pa.chunked_array([[["a"]], [["b", None]]]), ["a", "b"]),
    ],
)
def test_missing_values_in_a_list_leave_the_others(values: pa.Array, joined: list[str]) -> None:
    assert catalogue_of(tags=values)["tags"].to_pylist() == joined


def test_other_nested_values_are_refused() -> None:
    for values in (pa.array([{"a": 1}, {"a": 2}]), pa.array([[{"a": 1}], []])):
        with pytest.raises(DataError, match="column 'tags' must hold single values or lists"):
            catalogue_of(tags=values)


def test_whole_numbers_with_a_fraction_of_zero_are_ids_alike() -> None:
    log = LOG.assign(user_id=["7.0", "8.0"], item_id=["1.0", "2"])
    made = ingest(log, pd.DataFrame({"item_id": ["1", "2.0"]}))
    assert made.catalogue.ids.index.tolist() == ["1", "2"]
    assert made.interactions.users.index.tolist() == ["7", "8"]
    assert "'item_id' holds whole numbers such as '1.0', which are read as '1'" in "".join(
        made.report.detected
    )


def test_ids_stay_as_written_where_one_is_no_whole_number() -> None:
    log = LOG.assign(item_id=["1.0", "1.5"])
    made = ingest(log, pd.DataFrame({"item_id": ["1.0", "1.5"]}))
    assert made.catalogue.ids.index.tolist() == ["1.0", "1.5"] and not made.report.detected


def test_an_unknown_item_that_looks_like_a_known_one_is_named() -> None:
    items = pd.DataFrame({"item_id": ["SKU1", "1"]})
    with pytest.raises(DataError, match="hold '01' and the items '1': write them alike"):
        ingest(LOG.assign(item_id=["01", "1"]), items)
    with pytest.raises(DataError, match="hold 'sku1' and the items 'SKU1'"):
        ingest(LOG.assign(item_id=["sku1", "1"]), items)
    (group,) = ingest(
        LOG.assign(item_id=["1.0", "1"]), items, policy=IngestPolicy(unknown_items="skip")
    ).report.interactions.dropped
    assert group.reason.startswith(
        "the item is not in the items table (the interactions hold '1.0'"
    )
