"""The predicate tree: its checks, its canonical form and its JSON form."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import pytest

from recsys_client.errors import InvalidRequestError
from recsys_client.filters import (
    And,
    Contains,
    Eq,
    Exists,
    Filter,
    In,
    Not,
    Or,
    Range,
    filter_from_json,
    filter_to_json,
)

A, B, C = Exists("a"), Exists("b"), Exists("c")


def chain(depth: int) -> Filter:
    filter: Filter = A
    for _ in range(depth - 1):
        filter = Not(filter)
    return filter


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (And((A, B)), And((B, A))),
        (And((A, And((B, C)))), And((And((A, B)), C, A))),
        (Or((A, Or((B, Or((C,)))))), C | B | A),
        (~~A, A),
        (~~~A, ~A),
        (And((A, A)), A),
        (In("x", [2, 1, 2.0]), In("x", [1, 2])),
        (In("x", ["y"]), Eq("x", "y")),
        (Eq("x", 1.0), Eq("x", 1)),
        (Eq("x", -0.0), Eq("x", 0)),
        (~~And((~~A, B)) & A, A & B),
    ],
)
def test_filters_that_differ_in_form_only_are_equal(one: Filter, other: Filter) -> None:
    assert one == other and one.key == other.key and hash(one) == hash(other)
    assert one.canonical().canonical().key == one.key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Eq("x", True), Eq("x", 1)),
        (Eq("x", "1"), Eq("x", 1)),
        (Eq("x", "a"), Contains("x", "a")),
        (A & B, A | B),
        (~A, A),
        (Range("x", ge=1), Range("x", gt=1)),
    ],
)
def test_filters_with_other_meanings_differ(one: Filter, other: Filter) -> None:
    assert one != other and one.key != other.key


def test_a_canonical_form_costs_little_however_deep_the_tree_is() -> None:
    filter: Filter = A
    for at in range(19):
        filter = And((filter, B)) if at % 2 else Or((filter, C))
    assert filter.depth == 20 and len(filter.key) < 2_000


def test_a_time_is_its_text_in_utc() -> None:
    zone = timezone(timedelta(hours=2))
    filter = Range("at", ge=datetime(2024, 5, 1, 12, 30, tzinfo=zone))
    assert filter.ge == "2024-05-01T10:30:00Z"
    assert filter == Range("at", ge=datetime(2024, 5, 1, 10, 30, tzinfo=timezone.utc))


def test_columns_are_listed_once() -> None:
    assert (Eq("b", 1) & ~(Exists("a") | In("b", [1]))).columns == ("a", "b")


WRONG: dict[str, Any] = {"none": None, "list": [2], "text": "b", "number": 1}
"""Values of types that the signatures exclude."""


@pytest.mark.parametrize(
    ("build", "field", "message"),
    [
        (lambda: Eq("", 1), "filter.eq.column", "must be the name of a column"),
        (lambda: Eq("x" * 513, 1), "filter.eq.column", "has 513 characters; at most 512"),
        (lambda: Eq("x", "y" * 513), "filter.eq.value", "has 513 characters"),
        (lambda: Eq("x", "\ud800"), "filter.eq.value", "must be Unicode text"),
        (lambda: Eq("x", float("nan")), "filter.eq.value", "finite number; got nan"),
        (lambda: Eq("x", float("inf")), "filter.eq.value", "finite number; got inf"),
        (lambda: Eq("x", 10**400), "filter.eq.value", "finite number"),
        (lambda: Eq("x", 2**53 + 1), "filter.eq.value", "no exact float64"),
        (lambda: Eq("x", WRONG["none"]), "filter.eq.value", "got NoneType None"),
        (lambda: Eq("x", datetime(2024, 5, 1)), "filter.eq.value", "a time with a time zone"),
        (lambda: In("x", []), "filter.in.values", "is empty, so no item could pass"),
        (lambda: In("x", "abc"), "filter.in.values", "got the single value 'abc'"),
        (lambda: In("x", [1, WRONG["list"]]), "filter.in.values[1]", "got list [2]"),
        (lambda: In("x", range(10_001)), "filter.in.values", "has 10,001 values"),
        (lambda: Range("x"), "filter.range", "has no bound"),
        (lambda: Range("x", gt=1, ge=2), "filter.range", "has both gt and ge"),
        (lambda: Range("x", lt=True), "filter.range.lt", "a number or a time; got True"),
        (lambda: And(()), "filter.and", "is empty"),
        (lambda: Or((A, WRONG["text"])), "filter.or[1]", "must be a filter; got 'b'"),
        (lambda: Not(WRONG["number"]), "filter.not", "must be a filter; got 1"),
        (lambda: chain(21), "filter.not", "has 21 nested predicates; a filter has at most 20"),
        (lambda: And((A,) * 1_000), "filter.and", "has 1,001 predicates"),
        (lambda: Or((In("x", range(9_999)), A, A)), "filter.or", "has 10,001 values"),
    ],
)
def test_a_wrong_part_is_refused_with_its_path(
    build: Callable[[], Any], field: str, message: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        build()
    assert caught.value.field == field and message in caught.value.message


def test_a_number_of_another_library_is_a_number() -> None:
    assert Eq("x", Fraction(1, 2)) == Eq("x", 0.5)  # type: ignore[arg-type]


TREE = And(
    (
        Eq("brand", "acme"),
        Or((In("year", [1994, 1995.5]), Contains("tags", "sale"))),
        Range("price", ge=10, lt=20.25),
        Not(Exists("color")),
        Eq("sold_out", False),
    )
)


def test_json_holds_the_tree() -> None:
    written = json.dumps(filter_to_json(TREE))
    assert repr(filter_from_json(json.loads(written))) == repr(TREE)


@pytest.mark.parametrize(
    ("value", "field", "message"),
    [
        ({"a": 1, "b": 2}, "filter", "an object with one key"),
        ([], "filter", "got []"),
        ({}, "filter", "got an empty object"),
        ({"lt": 1}, "filter", "unknown predicate 'lt'; known: eq, in, range"),
        ({"eq": 1}, "filter.eq", "an object with the keys column, value; got 1"),
        ({"eq": {"column": "a"}}, "filter.eq", "has no 'value'"),
        ({"eq": {"column": "a", "value": 1, "x": 2}}, "filter.eq", "unknown key 'x'"),
        ({"range": {"column": "a", "lt": None}}, "filter.range.lt", "is null"),
        ({"and": {}}, "filter.and", "must be a list of filters"),
        (
            {"and": [{"exists": {"column": "a"}}, {"in": {"column": "b", "values": []}}]},
            "filter.and[1].in.values",
            "filter.and[1].in.values is empty",
        ),
        (
            {"not": {"or": [{"in": {"column": "b", "values": ["x", float("nan")]}}]}},
            "filter.not.or[0].in.values[1]",
            "filter.not.or[0].in.values[1] must be a finite number",
        ),
    ],
)
def test_wrong_json_is_refused_with_its_path(value: object, field: str, message: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        filter_from_json(value)
    assert caught.value.field == field and message in caught.value.message


def test_json_that_is_too_deep_is_refused_before_it_is_read() -> None:
    value: dict[str, Any] = {"exists": {"column": "a"}}
    for _ in range(5_000):
        value = {"not": value}
    with pytest.raises(InvalidRequestError, match="more than 20 nested predicates"):
        filter_from_json(value)
