"""Every id that is ingested can be requested, and every other is reported."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue import CatalogueFields
from recsys.errors import DataError, InvalidRequestError
from recsys.ingestion import MISSING_CONTEXT, IngestPolicy, ingest
from recsys.retrieval import Request
from recsys_client.checks import MAX_ID
from recsys_client.convert import write_request
from recsys_server.limits import Limits

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=3)
LONG = st.sampled_from(
    ["x" * MAX_ID, "x" * (MAX_ID + 1), "\u00a0" * 600, "\u2003", "\x1c", "a\u00a0"]
)


@settings(max_examples=60)
@given(TEXT | LONG)
def test_an_id_is_ingested_exactly_if_it_can_be_requested(value: str) -> None:
    log = pd.DataFrame({"user_id": ["ann", value], "item_id": ["lamp", value]})
    made = ingest(log, policy=IngestPolicy(bad_rows="skip"))
    known = value in made.catalogue.ids and value in made.interactions.users
    for field in ("user_id", "item_id"):
        request = Request.of(**{field: value}, k=1)  # type: ignore[arg-type]
        try:
            request.check(10)
            Limits().check(write_request(request))
            answered = True
        except InvalidRequestError:
            answered = False
        assert answered == known


@pytest.mark.parametrize("value", ["\u00a0", "b" * 600])
def test_an_item_that_no_request_could_name_is_left_out(value: str) -> None:
    log = pd.DataFrame({"user_id": ["ann"], "item_id": ["lamp"]})
    items = pd.DataFrame({"item_id": ["lamp", value], "title": ["a lamp", "a rug"]})
    fields = CatalogueFields(title="title")
    with pytest.raises(DataError, match="items, row 2: item_id is (blank|longer than 512)"):
        ingest(log, items, fields)
    made = ingest(log, items, fields, IngestPolicy(bad_rows="skip"))
    assert made.catalogue.ids.ids(np.arange(len(made.catalogue), dtype=np.int32)) == ["lamp"]
    assert made.report.items is not None and made.report.items.dropped[0].count == 1


def test_a_context_value_that_no_request_could_name_is_missing() -> None:
    log = pd.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "x"], "shop": ["y" * 513, "north"]})
    with pytest.raises(DataError, match="interactions, row 1: .*blank or longer than 512"):
        ingest(log)
    made = ingest(log, policy=IngestPolicy(bad_rows="skip"))
    assert len(made.interactions) == 2
    assert set(made.interactions.context["shop"].index) == {MISSING_CONTEXT, "north"}
    assert made.report.interactions.missing[0].count == 1
