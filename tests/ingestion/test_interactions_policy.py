"""Policies of ingestion on small tables of interactions, with their reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.config import parse_config
from recsys.errors import ConfigError, DataError
from recsys.formats import CsvInteractions, InteractionColumns, read_interactions
from recsys.formats.columns import UnreadValues
from recsys.ingestion import MISSING_CONTEXT, Group, IngestPolicy, ingest


def log(*rows: tuple, columns: str = "user_id item_id timestamp") -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split())


def lines(made) -> dict[str, list[str]]:
    """Each user's items in order."""
    data = made.interactions
    return {data.users.id(row): data.items.ids(data.history(row)) for row in range(len(data.users))}


def reasons(made) -> dict[str, int]:
    return {group.reason: group.count for group in made.report.interactions.dropped}


def test_histories_are_in_the_order_of_time_and_ties_in_the_order_of_rows() -> None:
    made = ingest(log(("b", "y", 5), ("a", "z", 9), ("a", "x", 1), ("a", "y", 9), ("b", "x", 5)))
    assert lines(made) == {"b": ["y", "x"], "a": ["x", "z", "y"]}
    assert made.report.clock == made.interactions.clock == "timestamp"
    assert made.interactions.time.tolist() == [5, 5, 1, 9, 9]


def test_positions_and_the_order_of_rows_are_clocks() -> None:
    columns = "user_id item_id position"
    made = ingest(log(("a", "x", 2), ("a", "y", 1), columns=columns))
    assert (lines(made), made.report.clock) == ({"a": ["y", "x"]}, "position")
    made = ingest(log(("a", "x"), ("a", "y"), columns="user_id item_id"))
    assert (lines(made), made.report.clock) == ({"a": ["x", "y"]}, "position")
    both = log(("a", "x", 2, 3), columns="user_id item_id position timestamp")
    with pytest.raises(DataError, match="has a timestamp and a position; leave out one"):
        ingest(both)


def test_tables_made_by_hand_may_hold_other_types() -> None:
    table = pd.DataFrame(
        {
            "user_id": [7, 7],
            "item_id": pd.Categorical(["x", "y"]),
            "timestamp": pd.to_datetime(["2024-01-01", "2023-01-01"]),
        },
        index=[5, 5],
    )
    made = ingest(table)
    assert lines(made) == {"7": ["y", "x"]}
    assert made.interactions.time.max() == 1_704_067_200


@pytest.mark.parametrize(
    ("row", "reason", "value"),
    [
        ((None, "x", 1, 1.0), "missing user_id", "nothing"),
        (("", "x", 1, 1.0), "missing user_id", "nothing"),
        (("a", None, 1, 1.0), "missing item_id", "nothing"),
        (("\u00a0", "x", 1, 1.0), "user_id is blank", "'\\xa0'"),
        (("a", " \t", 1, 1.0), "item_id is blank", "' \\t'"),
        (("a", "x", None, 1.0), "missing timestamp", "nothing"),
        (("a", "x", 1, float("nan")), "the weight is not a finite number", "nothing"),
        (("a", "x", 1, float("inf")), "the weight is not a finite number", "inf"),
        (("a", "x", 1, 1e39), "the weight is not a finite number", "1e+39"),
        (("a", "x", 1, 0.0), "the weight is not above 0", "0.0"),
        (("a", "x", 1, -2.0), "the weight is not above 0", "-2.0"),
        (("a", "x", 1, 1e-50), "the weight is not above 0", "1e-50"),
    ],
)
def test_bad_rows(row: tuple, reason: str, value: str) -> None:
    table = log(("a", "y", 1, 1.0), row, columns="user_id item_id timestamp weight")
    remedy = r"fix it, or set bad_rows = 'skip'"
    with pytest.raises(DataError, match=rf"interactions, row 2: {reason} \(.*\); {remedy}"):
        ingest(table)
    made = ingest(table, policy=IngestPolicy(bad_rows="skip"))
    (group,) = made.report.interactions.dropped
    assert (group.reason, group.count, group.rows) == (reason, 1, (2,))
    assert group.values == (value,)
    assert lines(made) == {"a": ["y"]}


def test_a_time_that_cannot_be_read_is_a_bad_row() -> None:
    table = log(("a", "x", "soon"), ("a", "y", "2024-01-01"))
    with pytest.raises(DataError, match="interactions: column 'timestamp', row 1:.*got 'soon'"):
        ingest(table)
    made = ingest(table, policy=IngestPolicy(bad_rows="skip"))
    expected = "expected a number in 's' since 1970 or ISO-8601 text"
    assert made.report.interactions.dropped == (Group(expected, 1, (1,), ("soon",), "timestamp"),)
    assert f"left out, 1: timestamp: {expected} (row 1: soon)" in made.report.lines()[1]


def test_values_that_a_reader_could_not_read_are_reported_as_written(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        "user_id,item_id,at,stars\na,x,2024-13-45,1\na,y,20,many\na,z,99999999999999,1\na,x,,1\n"
        "a,y,30,1\n"
    )
    columns = InteractionColumns(timestamp="at", weight="stars")
    source, unread = CsvInteractions(path="log.csv", columns=columns), UnreadValues()
    table = read_interactions(source, base=tmp_path, unreadable=unread)
    lost = {"interactions": unread}
    made = ingest(table, policy=IngestPolicy(bad_rows="skip"), unread=lost)
    found = [(group.column, group.rows, group.values) for group in made.report.interactions.dropped]
    assert found == [
        ("timestamp", (1,), ("2024-13-45",)),
        ("timestamp", (3,), ("99999999999999",)),
        ("weight", (2,), ("many",)),
        ("", (4,), ("nothing",)),
    ]
    unweighted = IngestPolicy(bad_rows="skip", weights="equal")
    made = ingest(table, policy=unweighted, unread=lost)
    assert made.report.interactions.missing == (
        Group("expected a number", 1, (2,), ("many",), "weight"),
    )
    assert made.report.interactions.kept == 2, "a weight that is not used costs no row"


def test_unread_values_of_searches_keep_their_rows() -> None:
    queries = pd.DataFrame(
        {
            "user_id": ["a", "a", "a"],
            "terms": ["p", "q", "r"],
            "item_id": ["x", "x", "y"],
            "timestamp": ["1", "soon", "3"],
        }
    )
    rows = log(("a", "x", "1"), ("a", "y", "never"))
    made = ingest(rows, searches=queries, policy=IngestPolicy(bad_rows="skip"))
    assert made.report.interactions.dropped[0].values == ("never",)
    assert made.report.searches is not None
    assert [group.rows for group in made.report.searches.dropped] == [(2,)]
    assert made.report.searches.dropped[0].values == ("soon",)


def test_unknown_items() -> None:
    table, items = log(("a", "x", 1), ("a", "gone", 2)), pd.DataFrame({"item_id": ["x", "new"]})
    with pytest.raises(DataError, match=r"row 2: the item is not in the items table \('gone'\)"):
        ingest(table, items)
    made = ingest(table, items, policy=IngestPolicy(unknown_items="skip"))
    expected = Group("the item is not in the items table", 1, (2,), ("gone",))
    assert made.report.interactions.dropped == (expected,)
    assert made.catalogue.ids.ids(np.arange(2)) == ["x", "new"]
    assert made.report.items_without_interactions == 1


def test_a_missing_and_an_unknown_item_are_two_reasons() -> None:
    table = log(("a", None, 1), ("a", "gone", 2), ("a", "x", 3))
    policy = IngestPolicy(bad_rows="skip", unknown_items="skip")
    made = ingest(table, pd.DataFrame({"item_id": ["x"]}), policy=policy)
    assert reasons(made) == {"missing item_id": 1, "the item is not in the items table": 1}


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        ("keep", ["x", "y", "x", "x"]),
        ("drop-exact", ["x", "y", "x"]),
        ("keep-first", ["x", "y"]),
        ("keep-last", ["y", "x"]),
    ],
)
def test_duplicate_interactions(policy: str, kept: list[str]) -> None:
    table = log(("a", "x", 9), ("a", "y", 5), ("a", "x", 1), ("a", "x", 9))
    made = ingest(table, policy=IngestPolicy(duplicate_interactions=policy))
    assert lines(made) == {"a": kept}
    assert sum(reasons(made).values()) == 4 - len(kept)


def test_exact_duplicates_may_differ_in_their_event() -> None:
    columns = "user_id item_id timestamp event"
    table = log(("a", "x", 9, "view"), ("a", "x", 9, "buy"), ("a", "x", 9, "view"), columns=columns)
    made = ingest(table, policy=IngestPolicy(duplicate_interactions="drop-exact"))
    assert len(made.interactions) == 2
    assert made.report.interactions.dropped[0].rows == (3,)


SHOP = log(
    ("a", "x", 1, "view", 2.0),
    ("a", "x", 2, "buy", 3.0),
    ("a", "x", 3, "view", 4.0),
    ("a", "y", 4, "view", 1.0),
    ("a", "y", 5, "view", 1.0),
    ("a", "z", 6, None, 1.0),
    columns="user_id item_id timestamp event weight",
)


def test_events() -> None:
    table = SHOP.drop(columns="weight")
    made = ingest(table, policy=IngestPolicy(events=("buy",)))
    assert lines(made) == {"a": ["x"]}
    assert reasons(made) == {"event not kept": 5}
    assert made.interactions.weight.tolist() == [1.0]
    made = ingest(table)
    kinds = made.interactions.context["event"]
    assert kinds.ids(made.interactions.context_rows["event"]) == [
        *("view", "buy", "view", "view", "view"),
        MISSING_CONTEXT,
    ]


def test_events_have_weights_that_multiply_those_of_the_log() -> None:
    events = {"view": 0.1, "buy": 1}
    made = ingest(SHOP.drop(columns="weight"), policy=IngestPolicy(events=events))
    np.testing.assert_array_equal(
        made.interactions.weight, np.array([0.1, 1, 0.1, 0.1, 0.1], np.float32)
    )
    made = ingest(SHOP, policy=IngestPolicy(events=events))
    assert made.interactions.weight == pytest.approx([0.2, 3, 0.4, 0.1, 0.1])
    made = ingest(SHOP, policy=IngestPolicy(events=events, weights="equal"))
    assert made.interactions.weight == pytest.approx([0.1, 1, 0.1, 0.1, 0.1])
    with pytest.raises(DataError, match="row 1: the weight is not above 0"):
        ingest(SHOP.assign(weight=1e-45), policy=IngestPolicy(events=events))


def test_the_strongest_interaction_with_an_item_is_kept() -> None:
    policy = IngestPolicy(events={"view": 0.1, "buy": 1}, duplicate_interactions="keep-strongest")
    made = ingest(SHOP.drop(columns="weight"), policy=policy)
    assert lines(made) == {"a": ["x", "y"]}
    assert made.interactions.time.tolist() == [2, 5]  # the purchase, and the last of equals
    assert reasons(made)["not the user's strongest interaction with the item"] == 3
    made = ingest(SHOP, policy=IngestPolicy(duplicate_interactions="keep-strongest"))
    assert made.interactions.time.tolist() == [3, 5, 6]  # by the weights of the log alone


@pytest.mark.parametrize(
    ("kind", "near"), [("Buy", "buy"), ("BUY", "buy"), ("views", "view"), ("refund", None)]
)
def test_an_unknown_kind_of_event_is_reported_with_the_kinds_of_the_log(
    kind: str, near: str | None
) -> None:
    hint = "" if near is None else f"; did you mean '{near}'\\?"
    message = (
        rf"names '{kind}', which is no kind.*interactions{hint} \(kinds: 'view' \(4\), 'buy' \(1\)"
    )
    with pytest.raises(DataError, match=message):
        ingest(SHOP, policy=IngestPolicy(events={"view": 1, kind: 1}))
    if near is not None:  # the advice is right
        assert len(ingest(SHOP, policy=IngestPolicy(events=(near,))).interactions)


def test_events_need_a_column() -> None:
    with pytest.raises(DataError, match="name their column with columns = { event = ... }"):
        ingest(log(("a", "x", 1)), policy=IngestPolicy(events=("buy",)))


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ("buy", "expected a list of kinds, or a table"),
        ([], "leave events out to keep all"),
        ({"view": 0}, "the weight of 'view' must be above 0 .*leave the kind out"),
        ({"view": -1}, "must be above 0"),
        ({"view": "much"}, "valid number"),
    ],
)
def test_weights_of_events_are_checked(events: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config({"events": events}, IngestPolicy)


def test_weights() -> None:
    columns = "user_id item_id timestamp weight"
    table = log(("a", "x", 1, 2.5), ("a", "y", 2, 4), ("a", "z", 3, -1), columns=columns)
    made = ingest(table, policy=IngestPolicy(min_weight=3))
    assert made.interactions.weight.tolist() == [4.0]
    assert reasons(made) == {"weight below 3": 2}
    made = ingest(table, policy=IngestPolicy(weights="equal"))
    assert made.interactions.weight.tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(
        DataError, match="has a 'min_weight', but the interactions have no 'weight'"
    ):
        ingest(log(("a", "x", 1)), policy=IngestPolicy(min_weight=3))


def test_rare_users_and_items_are_left_out_until_none_is_rare() -> None:
    # c has two interactions, but one is with w, which is rare; without it c is rare, and then z is.
    pairs = ["ax", "ay", "bx", "by", "cz", "cw", "dz", "dx", "dy"]
    table = pd.DataFrame([(user, item) for user, item in pairs], columns=["user_id", "item_id"])
    items = pd.DataFrame({"item_id": list("xyzw")})
    policy = IngestPolicy(min_user_interactions=2, min_item_interactions=2)
    made = ingest(table, items, policy=policy)
    assert lines(made) == {"a": ["x", "y"], "b": ["x", "y"], "d": ["x", "y"]}
    assert reasons(made) == {
        "the user has fewer than 2 interactions": 1,
        "the item has fewer than 2 interactions": 2,
    }
    assert (made.report.users, made.report.users_left_out) == (3, 1)
    assert (made.report.catalogue, made.report.items_without_interactions) == (4, 2)


def test_items_without_interactions_are_kept_or_dropped() -> None:
    items = pd.DataFrame({"item_id": ["new", "x", "other"], "title": ["N", "X", "O"]})
    table = log(("a", "x", 1))
    assert len(ingest(table, items).catalogue) == 3
    made = ingest(table, items, policy=IngestPolicy(items_without_interactions="drop"))
    assert made.catalogue.table.to_pylist() == [{"item_id": "x", "title": "X"}]
    assert made.report.items.dropped == (
        Group("no interaction with the item", 2, (1, 3), ("new", "other")),
    )
    assert lines(made) == {"a": ["x"]}


def test_every_other_column_is_context() -> None:
    columns = "user_id item_id timestamp device hour"
    table = log(("a", "x", 2, "phone", 3), ("a", "y", 1, None, 4), columns=columns)
    data = ingest(table).interactions
    assert set(data.context) == {"device", "hour"}
    assert data.context["device"].ids(data.context_rows["device"]) == [MISSING_CONTEXT, "phone"]
    assert data.context["hour"].ids(data.context_rows["hour"]) == ["4", "3"]


def test_the_first_phrase_is_not_a_search() -> None:
    columns = "user_id item_id timestamp terms"
    table = log(
        ("a", "x", 1, " desk lamp "),
        ("a", "y", 2, None),
        ("b", "z", 3, "desk lamp"),
        columns=columns,
    )
    data = ingest(table).interactions
    assert data.phrases == ("", "desk lamp")
    assert data.terms.tolist() == [1, 0, 1]


def test_invalid_logs_are_refused() -> None:
    with pytest.raises(DataError, match="interactions: no column 'user_id'; did you mean 'user'"):
        ingest(pd.DataFrame({"user": ["a"], "item_id": ["x"]}))
    with pytest.raises(DataError, match="no interaction is left .none was given.; give more"):
        ingest(pd.DataFrame({"user_id": [], "item_id": []}, dtype="str"))
    with pytest.raises(DataError, match="is left .2: weight below 9.; give more, or loosen"):
        columns = "user_id item_id weight"
        table = log(("a", "x", 1), ("a", "x", 2), columns=columns)
        ingest(table, policy=IngestPolicy(min_weight=9))
    with pytest.raises(DataError, match="mixes kinds of values"):
        ingest(pd.DataFrame({"user_id": ["a", 3], "item_id": ["x", "y"]}))
    with pytest.raises(DataError, match="column 'item_id' is there twice"):
        ingest(pd.DataFrame([["a", "x", "y"]], columns=["user_id", "item_id", "item_id"]))


def test_the_lines_of_the_report() -> None:
    rows = [("a", "x", 1)] + [("a", None, 1)] * 7
    report = ingest(log(*rows), policy=IngestPolicy(bad_rows="skip")).report
    assert report.lines()[0] == "interactions: 8 read, 1 kept"
    assert "left out, 7: missing item_id (row 2: " in report.lines()[1]
    assert report.lines()[1].endswith(", ...)")
    assert (
        report.lines()[-1]
        == "1 users; 1 items, 0 of them without interactions; ordered by timestamp"
    )
