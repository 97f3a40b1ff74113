"""Nothing vanishes: for any table and any policy the books balance, and the rows can be found."""

from __future__ import annotations

import re

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import DataError
from recsys.ingestion import IngestPolicy, IngestReport, ingest

IDS = st.sampled_from(["", "a", "b", "c", None])
TIMES = st.sampled_from([1, 2, 3, None])
WEIGHTS = st.sampled_from([0.0, -1.0, 1.0, 2.5, float("inf"), float("nan"), 1e300])
EVENTS = st.sampled_from(["view", "buy", None])
ROWS = st.lists(st.tuples(IDS, IDS, TIMES, WEIGHTS, EVENTS), max_size=25)
SEARCHES = st.none() | st.lists(st.tuples(IDS, IDS, TIMES, st.sampled_from(["", "p"])), max_size=8)
ITEMS = st.none() | st.lists(IDS, max_size=6)
POLICIES = st.builds(
    IngestPolicy,
    bad_rows=st.just("skip"),
    unknown_items=st.just("skip"),
    duplicate_items=st.sampled_from(["keep-first", "keep-last"]),
    duplicate_interactions=st.sampled_from(["keep", "drop-exact", "keep-first", "keep-last"]),
    events=st.none() | st.just(("buy", "search")),
    min_weight=st.none() | st.just(1.5),
    weights=st.sampled_from(["keep", "equal"]),
    min_user_interactions=st.integers(1, 3),
    min_item_interactions=st.integers(1, 3),
    items_without_interactions=st.sampled_from(["keep", "drop"]),
)


def typed(rows: list[tuple], columns: list[str]) -> pd.DataFrame:
    kinds = {"timestamp": "Int64", "weight": "float64"}
    return pd.DataFrame(
        {
            column: pd.Series([row[index] for row in rows], dtype=kinds.get(column, "str"))
            for index, column in enumerate(columns)
        }
    )


@settings(max_examples=150)
@given(rows=ROWS, searches=SEARCHES, ids=ITEMS, policy=POLICIES)
def test_read_is_kept_and_dropped(
    rows: list[tuple],
    searches: list[tuple] | None,
    ids: list[str | None] | None,
    policy: IngestPolicy,
) -> None:
    log = typed(rows, ["user_id", "item_id", "timestamp", "weight", "event"])
    items = None if ids is None else pd.DataFrame({"item_id": pd.Series(ids, dtype="str")})
    queries = None
    if searches is not None:
        queries = typed(searches, ["user_id", "item_id", "timestamp", "terms"])
    try:
        made = ingest(log, items, policy=policy, searches=queries)
    except DataError as error:
        assert re.search("no interaction is left|no kind of event", str(error))
        return
    report, data = made.report, made.interactions
    sizes = {"interactions": len(rows)}
    sizes |= {} if ids is None else {"items": len(ids)}
    sizes |= {} if searches is None else {"searches": len(searches)}
    for name, size in sizes.items():
        table = getattr(report, name)
        assert table.read == size == table.kept + sum(group.count for group in table.dropped)
        for group in (*table.dropped, *table.missing):
            assert 0 < len(group.rows) == len(group.values) == min(group.count, 3)
            assert all(1 <= row <= size for row in group.rows)
            assert list(group.rows) == sorted(set(group.rows))
    added = 0 if report.searches is None else report.searches.kept - report.joined
    assert len(data) == report.interactions.kept + added
    assert report.users == len(data.users) == len(set(data.user.tolist()))
    assert report.catalogue == len(made.catalogue) == len(data.items)
    assert report.items_without_interactions == int((~data.warm).sum())
    if policy.items_without_interactions == "drop" or ids is None:
        assert data.warm.all()
    assert IngestReport.from_dict(report.to_dict()) == report
