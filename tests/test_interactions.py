"""The immutable table of interactions: sorted, validated, independent of the input order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import DataError
from recsys.ids import IdMap
from recsys.interactions import Interactions

USERS, ITEMS = IdMap.of("user", ["ann", "bob", "cy"]), IdMap.of("item", list("wxyz"))
DEVICES = IdMap.of("device", ["phone", "desk"])


def log(**columns: object) -> Interactions:
    given = {"user": [1, 0, 1], "item": [3, 2, 0], "time": [20, 5, 10], **columns}
    return Interactions.of(USERS, ITEMS, **given)


def test_rows_are_sorted_by_user_then_time_and_every_column_follows() -> None:
    made = log(
        weight=[1.0, 2.0, 3.0],
        phrases=("", "p"),
        terms=[1, 0, 0],
        context={"device": DEVICES},
        context_rows={"device": [0, 1, 1]},
    )
    assert made.user.tolist() == [0, 1, 1]
    assert made.item.tolist() == [2, 0, 3]
    assert made.time.tolist() == [5, 10, 20]
    assert made.weight.tolist() == [2.0, 3.0, 1.0]
    assert made.terms.tolist() == [0, 0, 1]
    assert made.context_rows["device"].tolist() == [1, 1, 0]
    kinds = [made.user.dtype, made.item.dtype, made.time.dtype, made.weight.dtype, made.terms.dtype]
    assert kinds == [np.int32, np.int32, np.int64, np.float32, np.int32]


def test_histories_counts_and_warm_items() -> None:
    made = log()
    assert [made.history(user).tolist() for user in range(3)] == [[2], [0, 3], []]
    assert [made.times(user).tolist() for user in range(3)] == [[5], [10, 20], []]
    assert made.offsets.tolist() == [0, 1, 3, 3]
    assert made.item_counts.tolist() == [1, 0, 1, 1]
    assert made.warm.tolist() == [True, False, True, True]
    assert len(made) == 3
    assert made.weight.tolist() == [1, 1, 1] and made.terms.tolist() == [0, 0, 0]


def test_ties_keep_the_order_given() -> None:
    made = log(user=[0] * 4, item=[3, 1, 2, 0], time=[7, 7, 7, 7])
    assert made.history(0).tolist() == [3, 1, 2, 0]


ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(-5, 5)), max_size=30)


@given(ROWS)
def test_a_history_has_the_items_of_a_user_in_order(rows: list[tuple[int, int, int]]) -> None:
    made = log(user=[r[0] for r in rows], item=[r[1] for r in rows], time=[r[2] for r in rows])
    for user in range(3):
        mine = sorted((row for row in rows if row[0] == user), key=lambda row: row[2])
        assert made.history(user).tolist() == [row[1] for row in mine]
    assert made.item_counts.sum() == made.offsets[-1] == len(rows)


@given(ROWS, st.data())
def test_take_keeps_chosen_rows_in_order(
    rows: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    made = log(user=[r[0] for r in rows], item=[r[1] for r in rows], time=[r[2] for r in rows])
    keep = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))), bool
    )
    taken = made.take(keep)
    assert (taken.users, taken.items) == (made.users, made.items)
    assert taken.item.tolist() == made.item[keep].tolist()
    assert sum(len(taken.history(user)) for user in range(3)) == keep.sum()


def test_arrays_are_read_only() -> None:
    made = log(context={"device": DEVICES}, context_rows={"device": [0, 1, 1]})
    for table in (made, made.take(np.array([True, False, True]))):
        for column in (table.user, table.time, table.weight, table.context_rows["device"]):
            with pytest.raises(ValueError, match="read-only"):
                column[0] = 0


def test_the_arrays_of_the_caller_are_not_changed() -> None:
    time = np.array([20, 5, 10])
    made = log(time=time)
    time[0] = 99
    assert made.time.tolist() == [5, 10, 20]


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"item": [0, 1]}, r"column 'item' must hold 3 values; it holds \(2,\)"),
        ({"weight": [[1, 1, 1]]}, r"column 'weight' must hold 3 values; it holds \(1, 3\)"),
        ({"user": [0, 1, 3]}, "column 'user' must hold rows from 0 to 2"),
        ({"item": [0, 1, -1]}, "column 'item' must hold rows from 0 to 3"),
        ({"terms": [0, 0, 1]}, "column 'terms' must hold rows from 0 to 0"),
        ({"item": [0, 1, 1.5]}, "column 'item' must hold whole numbers that fit int32"),
        ({"item": [0, 1, 2**32]}, "column 'item' must hold whole numbers that fit int32"),
        ({"item": [0, 1, float("nan")]}, "column 'item' must hold whole numbers"),
        ({"time": [0, 1, 1.5]}, "column 'time' must hold whole numbers that fit int64"),
        ({"weight": [1, 1, 0]}, "weights must be finite and above 0"),
        ({"weight": [1, 1, float("nan")]}, "weights must be finite and above 0"),
        ({"weight": [1, 1, 1e300]}, "weights must be finite and above 0"),
        ({"phrases": ()}, "column 'terms' must hold rows|the first of the phrases"),
        ({"phrases": ("p",)}, "the first of the phrases must be ''"),
        ({"context_rows": {"device": [0, 0, 0]}}, r"name the same columns; they name \[\] and"),
        ({"context": {"device": DEVICES}}, "must name the same columns"),
        (
            {"context": {"device": DEVICES}, "context_rows": {"device": [0, 0, 2]}},
            "column 'device' must hold rows from 0 to 1",
        ),
    ],
)
def test_invalid_columns_are_refused(columns: dict, text: str) -> None:
    with pytest.raises(DataError, match=text):
        log(**columns)


def test_a_context_column_may_have_any_name() -> None:
    made = log(context={"user": DEVICES}, context_rows={"user": [0, 1, 0]})
    assert made.user.tolist() == [0, 1, 1]
    assert made.context_rows["user"].tolist() == [1, 0, 0]


def test_an_empty_log() -> None:
    made = log(user=[], item=[], time=[])
    assert len(made) == 0 and not made.warm.any()
    assert [len(made.history(user)) for user in range(3)] == [0, 0, 0]
