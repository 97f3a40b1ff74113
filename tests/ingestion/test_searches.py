"""Searches on their way in: joined to the interaction they led to, or an interaction themselves."""

from __future__ import annotations

import pandas as pd
import pytest

from recsys.errors import DataError
from recsys.ingestion import IngestPolicy, ingest


def table(columns: str, *rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split())


def readable(made) -> list[tuple[str, str, int, str]]:
    data = made.interactions
    users, items = data.users.ids(data.user), data.items.ids(data.item)
    phrases = [data.phrases[row] for row in data.terms]
    return list(zip(users, items, data.time.tolist(), phrases))


LOG = table("user_id item_id timestamp", ("a", "x", 1), ("a", "y", 2), ("b", "x", 1))
COLUMNS = "user_id terms item_id timestamp"


def test_a_search_is_joined_or_added() -> None:
    searches = table(
        COLUMNS,
        ("a", "lamp", "y", 2),  # the second interaction
        ("a", "lamp", "y", 3),  # another time
        ("b", "rug", "y", 1),  # another item
        ("c", "rug", "x", 1),  # another user
    )
    made = ingest(LOG, searches=searches)
    assert readable(made) == [
        ("a", "x", 1, ""),
        ("a", "y", 2, "lamp"),
        ("a", "y", 3, "lamp"),
        ("b", "x", 1, ""),
        ("b", "y", 1, "rug"),
        ("c", "x", 1, "rug"),
    ]
    report = made.report
    assert (report.joined, report.searches.read, report.searches.kept) == (1, 4, 4)
    assert (report.interactions.read, report.interactions.kept) == (3, 3)
    assert "  1 searches gave an interaction its terms" in report.lines()


def test_equal_searches_go_to_one_interaction_each() -> None:
    log = table("user_id item_id timestamp", ("a", "x", 1), ("a", "x", 1))
    searches = table(COLUMNS, ("a", "p", "x", 1), ("a", "q", "x", 1), ("a", "r", "x", 1))
    made = ingest(log, searches=searches)
    assert readable(made) == [("a", "x", 1, "p"), ("a", "x", 1, "q"), ("a", "x", 1, "r")]
    assert made.report.joined == 2


def test_an_interaction_keeps_its_own_terms() -> None:
    log = LOG.assign(terms=["own", None, None])
    searches = table(COLUMNS, ("a", "other", "x", 1), ("a", "lamp", "y", 2))
    assert readable(ingest(log, searches=searches))[:2] == [
        ("a", "x", 1, "own"),
        ("a", "y", 2, "lamp"),
    ]


def test_searches_are_reported_by_their_own_row_numbers() -> None:
    searches = table(COLUMNS, ("a", "lamp", "y", 2), ("a", "lamp", "gone", 9), (None, "x", "x", 1))
    items = pd.DataFrame({"item_id": ["x", "y"]})
    with pytest.raises(DataError, match="searches, row 3: missing user_id"):
        ingest(LOG, items, searches=searches)
    policy = IngestPolicy(bad_rows="skip", unknown_items="skip")
    report = ingest(LOG, items, policy=policy, searches=searches).report
    assert (report.searches.read, report.searches.kept) == (3, 1)
    assert [(group.reason, group.rows) for group in report.searches.dropped] == [
        ("missing user_id", (3,)),
        ("the item is not in the items table", (2,)),
    ]
    assert report.interactions.dropped == ()


def test_an_added_search_weighs_1_and_has_the_event_search() -> None:
    log = LOG.assign(weight=[2.0, 3.0, 4.0], event="view", device="phone")
    searches = table(COLUMNS, ("c", "rug", "x", 1))
    data = ingest(log, searches=searches).interactions
    assert data.weight.tolist() == [2.0, 3.0, 4.0, 1.0]
    assert data.context["device"].ids(data.context_rows["device"])[-1] == "(missing)"
    report = ingest(log, policy=IngestPolicy(events=("view",)), searches=searches).report
    assert report.searches.dropped[0].values == ("search",)


def test_searches_without_a_time_follow_the_order_of_rows_in_both() -> None:
    log = LOG.drop(columns="timestamp")
    with pytest.raises(DataError, match="same clock as the interactions, 'none'.*'timestamp'"):
        ingest(log, searches=table(COLUMNS, ("a", "lamp", "y", 2)))
    with pytest.raises(DataError, match="'timestamp'; they have 'none'"):
        ingest(LOG, searches=table("user_id terms item_id", ("a", "lamp", "y")))
    with pytest.raises(DataError, match="searches: no column 'terms'"):
        ingest(LOG, searches=LOG)


def test_no_search_at_all() -> None:
    made = ingest(LOG, searches=table(COLUMNS).astype({"timestamp": "int64"}))
    assert (made.report.joined, made.report.searches.read) == (0, 0)
    assert len(made.interactions) == 3
