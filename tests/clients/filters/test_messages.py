"""Filters as protobuf messages."""

from __future__ import annotations

import pytest

from recsys_client.errors import InvalidRequestError
from recsys_client.filters import And, Contains, Eq, Exists, Filter, In, Not, Or, Range
from recsys_client.filters.messages import read_filter, write_filter
from recsys_client.pb.recsys.v1 import filter_pb2 as pb

TREE = And(
    (
        Eq("brand", "acme"),
        Or((In("year", [1994, 1995.5, True, ""]), Contains("tags", "sale"))),
        Range("price", ge=0, lt=20.25),
        Range("at", gt="2024-05-01", le=1_714_521_600),
        Not(Exists("color")),
        Eq("sold_out", False),
    )
)


def test_a_message_holds_the_tree() -> None:
    message = pb.Filter.FromString(write_filter(TREE).SerializeToString())
    assert repr(read_filter(message)) == repr(TREE)


def test_the_deepest_filter_fits_the_depth_that_protobuf_reads() -> None:
    filter: Filter = Exists("a")
    for _ in range(19):
        filter = And((filter,))
    message = pb.Filter.FromString(write_filter(filter).SerializeToString())
    assert repr(read_filter(message)) == repr(filter)


def repeated(n: int, part: pb.Filter) -> pb.Filter:
    return pb.Filter(any_of=pb.FilterList(filters=[part] * n))


def numbers(n: int) -> pb.Filter:
    """A set of n numbers."""
    values = [pb.FilterValue(number=number) for number in range(n)]
    return pb.Filter(in_set=pb.ValueSet(column="a", values=values))


def nested(depth: int) -> pb.Filter:
    message = pb.Filter(exists=pb.ColumnName(column="a"))
    for _ in range(depth - 1):
        message = pb.Filter(negation=message)
    return message


@pytest.mark.parametrize(
    ("message", "field", "fault"),
    [
        (pb.Filter(), "filter", "has no predicate; give one of eq, in_set"),
        (nested(21), "filter" + ".not" * 20, "more than 20 nested predicates"),
        (
            repeated(40, repeated(30, nested(1))),
            "filter.or[32].or[6]",
            "more than 1,000 predicates",
        ),
        (repeated(2, numbers(6_000)), "filter.or[1].in.values", "more than 10,000 values"),
        (pb.Filter(eq=pb.Comparison(column="a")), "filter.eq.value", "is missing"),
        (
            pb.Filter(eq=pb.Comparison(value=pb.FilterValue(flag=True))),
            "filter.eq.column",
            "must be the name of a column; got ''",
        ),
        (
            pb.Filter(
                all_of=pb.FilterList(
                    filters=[
                        pb.Filter(exists=pb.ColumnName(column="a")),
                        pb.Filter(in_set=pb.ValueSet(column="b")),
                    ]
                ),
            ),
            "filter.and[1].in.values",
            "is empty",
        ),
        (
            pb.Filter(in_set=pb.ValueSet(column="b", values=[pb.FilterValue()])),
            "filter.in.values[0]",
            "is missing",
        ),
        (pb.Filter(range=pb.ValueRange(column="b")), "filter.range", "has no bound"),
        (
            pb.Filter(range=pb.ValueRange(column="b", lt=pb.FilterValue(number=float("nan")))),
            "filter.range.lt",
            "must be a finite number",
        ),
    ],
)
def test_a_wrong_message_is_refused_with_its_path(
    message: pb.Filter, field: str, fault: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_filter(message)
    assert caught.value.field == field and fault in caught.value.message
