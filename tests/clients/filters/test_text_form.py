"""The text form of a filter, and the forms as inverses of one another."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    parse_filter,
    to_text,
)
from recsys_client.filters.messages import read_filter, write_filter
from recsys_client.pb.recsys.v1 import filter_pb2 as pb

A, B, C = (Eq(name, True) for name in "abc")


@pytest.mark.parametrize(
    ("text", "filter"),
    [
        (
            'brand = "acme" and price < 20 and not sold_out',
            And((Eq("brand", "acme"), Range("price", lt=20), Not(Eq("sold_out", True)))),
        ),
        ("a or b and c", Or((A, And((B, C))))),
        ("(a or b) and c", And((Or((A, B)), C))),
        ("a AND Not b", And((A, Not(B)))),
        ("not a = 1", Not(Eq("a", 1))),
        ("not not a", Not(Not(A))),
        ("order = 1 or android", Or((Eq("order", 1), Eq("android", True)))),
        ("x == 1 and y <> 2", And((Eq("x", 1), Not(Eq("y", 2))))),
        ("x != 'a'", Not(Eq("x", "a"))),
        ('x in ("a", 2, true)', In("x", ["a", 2, True])),
        ("x not in (1)", Not(In("x", [1]))),
        ("x between -1.5 and +2e1", Range("x", ge=-1.5, le=20)),
        ("10 <= x < 20", Range("x", ge=10, lt=20)),
        ("20 >= x > .5", Range("x", gt=0.5, le=20)),
        ("5 > x", Range("x", lt=5)),
        ('tags contains "new"', Contains("tags", "new")),
        ("x is missing or exists(y)", Or((Not(Exists("x")), Exists("y")))),
        ("x is not missing", Exists("x")),
        (
            "`unit price` = 5 and `a``b` and `in`",
            And((Eq("unit price", 5), Eq("a`b", True), Eq("in", True))),
        ),
        ("release-date.x > 5", Range("release-date.x", gt=5)),
        ("größe = false", Eq("größe", False)),
        ("at >= 2024-05-01", Range("at", ge="2024-05-01")),
        ("at < 2024-05-01T10:00:00.5+02:00", Range("at", lt="2024-05-01T10:00:00.5+02:00")),
        ("at = 2024-05-01 10:00", Eq("at", "2024-05-01 10:00")),
        (r"""x = 'it\'s "\u00e4"\n'""", Eq("x", 'it\'s "ä"\n')),
        (r'x = "a\\b\"c"', Eq("x", 'a\\b"c')),
        (" \n a\tand\nb ", And((A, B))),
        ("x = 9007199254740992", Eq("x", 2**53)),
    ],
)
def test_a_text_states_a_tree(text: str, filter: Filter) -> None:
    assert repr(parse_filter(text)) == repr(filter)


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 1, "expected a column, a value (a text in quotes, a number, a time, true or false)"),
        ("brand = acme", 9, "got 'acme'; text is written in quotes: \"acme\""),
        ("brand =", 8, "expected a value (a text in quotes, a number, a time, true or false), got"),
        ("price < and", 9, "got 'and'"),
        ("(a or b", 8, "expected ')', got the end"),
        ("a b", 3, "expected an operator (=, !=, <, <=, >, >=, in, between, contains, is), 'and'"),
        ("a & b", 3, "got '&'"),
        ("brand in ()", 11, "expected a value"),
        ('brand in "a"', 10, "expected '(', got '\"a\"'"),
        ("x between 5", 12, "expected 'and', got the end"),
        ("x is 5", 6, "expected 'missing' or 'not', got '5'"),
        ("5", 2, "expected a comparison (<, <=, >, >=), got the end"),
        ("1 < x > 5", 7, "expected '<' or '<=', the direction of the first comparison; got '>'"),
        ('x = "abc', 5, 'a text in quotes is not ended by "'),
        (r'x = "\q"', 5, r"an escape that JSON does not have; write a backslash as \\"),
        ("x = 5x", 5, "expected a value"),
    ],
)
def test_a_fault_is_reported_with_its_position(text: str, position: int, reason: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_filter(text)
    first, shown, mark = caught.value.message.split("\n")
    assert first.startswith(f"the filter cannot be read at character {position}: ")
    assert reason in first and caught.value.field == "filter"
    assert shown == f"  {text}" and mark == " " * (position + 1) + "^"


def test_the_line_of_the_fault_is_shown_in_part_if_it_is_long() -> None:
    text = "a and\n" + "b and " * 50 + "c ! d" + " and e" * 50
    with pytest.raises(InvalidRequestError) as caught:
        parse_filter(text)
    _, shown, mark = caught.value.message.split("\n")
    assert len(shown) < 130 and shown[mark.index("^")] == "!"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 123456789012345678901", "has no exact float64"),
        ("x = 1e999", "must be a finite number"),
        ("not " * 20 + "a", "has 21 nested predicates; a filter has at most 20"),
        ("a and " * 1_000 + "a", "has 1,002 predicates"),
        ("a" * 513, "has 513 characters; at most 512"),
        ("(" * 100_001, "has 100,001 characters"),
    ],
)
def test_a_text_beyond_the_limits_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        parse_filter(text)


def test_parentheses_are_no_predicates() -> None:
    assert parse_filter("(" * 500 + "a" + ")" * 500) == A


def test_lark_is_imported_when_a_text_is_parsed() -> None:
    code = "import sys, recsys_client.filters as f; print('lark' in sys.modules);"
    code += "f.parse_filter('a'); print('lark' in sys.modules, 'google.protobuf' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "False"]


NAMES = st.one_of(
    st.text(min_size=1, max_size=6), st.sampled_from(["a", "in", "and", "x-y", "AND"])
)
NUMBERS = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
TIMES = st.datetimes(timezones=st.just(timezone.utc), min_value=datetime(1000, 1, 1))
VALUES: st.SearchStrategy[Any] = st.one_of(st.text(max_size=8), st.booleans(), NUMBERS, TIMES)
BOUNDS: st.SearchStrategy[Any] = st.one_of(st.text(max_size=8), NUMBERS, TIMES)


def ranges(column: str, low: tuple[str, Any], high: tuple[str, Any], which: str) -> Filter:
    bounds = {"low": [low], "high": [high], "both": [low, high]}[which]
    return Range(column, **dict(bounds))


LEAVES: st.SearchStrategy[Filter] = st.one_of(
    st.builds(Exists, NAMES),
    st.builds(Eq, NAMES, VALUES),
    st.builds(In, NAMES, st.lists(VALUES, min_size=1, max_size=4)),
    st.builds(Contains, NAMES, VALUES),
    st.builds(
        ranges,
        NAMES,
        st.tuples(st.sampled_from(["gt", "ge"]), BOUNDS),
        st.tuples(st.sampled_from(["lt", "le"]), BOUNDS),
        st.sampled_from(["low", "high", "both"]),
    ),
)
TREES: st.SearchStrategy[Filter] = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.builds(And, st.lists(parts, min_size=1, max_size=3)),
        st.builds(Or, st.lists(parts, min_size=1, max_size=3)),
        st.builds(Not, parts),
    ),
    max_leaves=8,
)


@settings(max_examples=40)
@given(TREES)
def test_each_form_is_read_as_the_filter_that_was_written(filter: Filter) -> None:
    written = json.dumps(filter_to_json(filter))
    assert repr(filter_from_json(json.loads(written))) == repr(filter)
    message = write_filter(filter).SerializeToString()
    assert repr(read_filter(pb.Filter.FromString(message))) == repr(filter)
    assert parse_filter(to_text(filter)) == filter
    canonical = filter.canonical()
    assert repr(parse_filter(to_text(canonical))) == repr(canonical)
