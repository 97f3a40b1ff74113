"""Filters compiled to sets of rows, compared with an evaluation of each item in Python."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue import Catalogue, CatalogueFields
from recsys.errors import InvalidRequestError
from recsys.index.rows import RowSet
from recsys.retrieval.filters import FilterColumns
from recsys.retrieval.filters.row_set_cache import RowSetCache
from recsys_client.filters import And, Contains, Eq, Exists, Filter, In, Not, Or, Range

FIELDS = CatalogueFields(
    categories=("brand", "tags"),
    numbers=("price",),
    filters={"sold_out": "boolean", "added": "time", "tags": "texts"},
)
TEXTS = ["acme", "apex", "ärmel", "a b"]
NUMBERS = [-1.5, 0.0, 1.0, 2.0, 1e9]
TIMES = [0.0, 1_714_521_600.0, 1_714_521_601.0]


def catalogue_of(rows: list[dict[str, Any]]) -> Catalogue:
    """A catalogue of items with these attributes; lists are joined by the separator."""
    columns = {
        "brand": pa.array([row.get("brand") for row in rows], pa.string()),
        "tags": pa.array(["|".join(row.get("tags", [])) or None for row in rows], pa.string()),
        "price": pa.array([row.get("price") for row in rows], pa.float64()),
        "sold_out": pa.array([row.get("sold_out") for row in rows], pa.bool_()),
        "added": pa.array([row.get("added") for row in rows]).cast(pa.int64()),
    }
    ids = [f"i{at}" for at in range(len(rows))]
    return Catalogue.of(pa.table({"item_id": ids, **columns}), FIELDS)


def is_true(filter: Filter, row: Mapping[str, Any]) -> bool:
    """Whether a filter is true for one item."""
    if isinstance(filter, And):
        return all(is_true(part, row) for part in filter.parts)
    if isinstance(filter, Or):
        return any(is_true(part, row) for part in filter.parts)
    if isinstance(filter, Not):
        return not is_true(filter.part, row)
    assert isinstance(filter, Eq | In | Range | Exists | Contains)
    value = row.get(filter.column)
    if isinstance(filter, Exists):
        return value is not None and value != []
    if value is None:
        return False
    if isinstance(filter, Contains):
        return filter.value in value
    if isinstance(filter, Eq):
        return bool(value == filter.value)
    if isinstance(filter, In):
        return value in filter.values
    bounds: dict[str, Any] = filter.bounds
    compare = {"gt": value.__gt__, "ge": value.__ge__, "lt": value.__lt__, "le": value.__le__}
    return all(compare[name](float(bound)) for name, bound in bounds.items())


def optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), values)


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "brand": optional(st.sampled_from(TEXTS)),
            "tags": st.lists(st.sampled_from(TEXTS), max_size=3),
            "price": optional(st.sampled_from(NUMBERS)),
            "sold_out": optional(st.booleans()),
            "added": optional(st.sampled_from(TIMES)),
        }
    ),
    min_size=1,
    max_size=40,
)


def ranges(column: str, values: list[float]) -> st.SearchStrategy[Filter]:
    """Ranges with one or two bounds, in order."""
    bounds = st.lists(st.sampled_from([*values, 0.5, -9.0]), min_size=2, max_size=2, unique=True)
    names = st.tuples(st.sampled_from(["gt", "ge", ""]), st.sampled_from(["lt", "le", ""]))

    def made(pair: tuple[list[float], tuple[str, str]]) -> Filter:
        named: Any = {name: bound for bound, name in zip(sorted(pair[0]), pair[1]) if name}
        return Range(column, **named) if named else Exists(column)

    return st.tuples(bounds, names).map(made)


LEAVES: st.SearchStrategy[Filter] = st.one_of(
    st.sampled_from([*TEXTS, "none of them"]).map(lambda text: Eq("brand", text)),
    st.lists(st.sampled_from(TEXTS), min_size=1).map(lambda texts: In("brand", texts)),
    st.sampled_from([*TEXTS, "none of them"]).map(lambda text: Contains("tags", text)),
    st.sampled_from(NUMBERS).map(lambda number: Eq("price", number)),
    st.lists(st.sampled_from(NUMBERS), min_size=1).map(lambda numbers: In("price", numbers)),
    st.booleans().map(lambda flag: Eq("sold_out", flag)),
    st.sampled_from(["brand", "tags", "price", "sold_out", "added"]).map(Exists),
    ranges("price", NUMBERS),
    ranges("added", TIMES),
)
TREES = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=3).map(And),
        st.lists(parts, min_size=1, max_size=3).map(Or),
        parts.map(Not),
    ),
    max_leaves=8,
)


@settings(max_examples=40)
@given(ROWS, st.lists(TREES, min_size=1, max_size=4))
def test_rows_are_those_of_an_evaluation_of_each_item(
    rows: list[dict[str, Any]], filters: list[Filter]
) -> None:
    columns = FilterColumns.of(catalogue_of(rows))
    for filter in filters:
        expected = [at for at, row in enumerate(rows) if is_true(filter, row)]
        found = columns.rows(filter)
        assert found.rows.tolist() == expected and found.size == len(rows)


def test_many_rows_give_the_same_as_few() -> None:
    """Long slices of a column become masks, short ones are sorted."""
    random = np.random.default_rng(0)
    brands, prices = random.choice(TEXTS, 500, p=[0.9, 0.05, 0.04, 0.01]), random.random(500)
    rows = [{"brand": str(b), "price": float(p)} for b, p in zip(brands, prices)]
    columns = FilterColumns.of(catalogue_of(rows))
    filters: list[Filter] = [Range("price", ge=low, lt=0.99) for low in (0.01, 0.5, 0.98)]
    filters += [Eq("brand", "acme"), In("brand", TEXTS[1:]), In("brand", TEXTS[:2])]
    filters += [In("price", prices[:300].tolist()), In("price", prices[:3].tolist())]
    for filter in filters:
        expected = [at for at, row in enumerate(rows) if is_true(filter, row)]
        assert columns.rows(filter).rows.tolist() == expected


ITEMS: list[dict[str, Any]] = [
    {"brand": "acme", "tags": ["sale", "new"], "price": 5.0, "sold_out": True, "added": 0},
    {"brand": "apex", "tags": ["new"], "price": 20.0, "sold_out": False, "added": 1_714_521_600},
    {"tags": []},
]


@pytest.fixture(scope="module")
def columns() -> FilterColumns:
    return FilterColumns.of(catalogue_of(ITEMS))


def test_a_comparison_with_a_missing_value_is_false_and_its_negation_true(
    columns: FilterColumns,
) -> None:
    assert columns.rows(Eq("brand", "acme")).rows.tolist() == [0]
    assert columns.rows(~Eq("brand", "acme")).rows.tolist() == [1, 2]
    assert columns.rows(~Eq("sold_out", True)).rows.tolist() == [1, 2]
    assert columns.rows(Exists("brand") & ~Eq("brand", "acme")).rows.tolist() == [1]
    assert columns.rows(~Exists("tags")).rows.tolist() == [2]


@pytest.mark.parametrize(
    "time",
    [
        "2024-05-01",
        "2024-05-01T00:00:00Z",
        "2024-05-01T02:00:00+02:00",
        1_714_521_600,
        datetime(2024, 5, 1, tzinfo=timezone.utc),
    ],
)
def test_a_time_is_a_date_a_moment_or_seconds(columns: FilterColumns, time: Any) -> None:
    assert columns.rows(Range("added", ge=time)).rows.tolist() == [1]
    assert columns.rows(Eq("added", time)).rows.tolist() == [1]
    assert columns.rows(Range("added", lt=time)) is columns.rows(Range("added", lt="2024-05-01"))


def test_equal_filters_get_the_same_object(columns: FilterColumns) -> None:
    one, other = Eq("brand", "acme"), Range("price", lt=10)
    first = columns.rows(one & other)
    assert columns.rows(other & one) is first
    assert columns.rows(And((one, one, ~~other))) is first


def test_threads_get_the_same_object() -> None:
    columns = FilterColumns.of(catalogue_of(ITEMS * 100))
    found: list[RowSet] = []
    start = threading.Barrier(4)

    def search() -> None:
        start.wait()
        found.append(columns.rows(Eq("brand", "acme") | Range("price", ge=6)))

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(map(id, found))) == 1


def test_the_cache_drops_the_sets_that_were_not_read_for_longest() -> None:
    cache = RowSetCache(max_bytes=1_500)
    one = cache.add("one", RowSet.all(20))
    cache.add("two", RowSet.all(20))
    assert cache.get("one") is one
    cache.add("three", RowSet.all(20))
    assert cache.get("two") is None and cache.get("one") is one


@pytest.mark.parametrize(
    ("filter", "field", "message"),
    [
        (
            Eq("brnd", "acme"),
            "filter.eq.column",
            "the catalogue has no column 'brnd'; did you mean 'brand'? (columns for filters: price "
            "(number), brand (text), tags (texts), sold_out (boolean), added (time))",
        ),
        (Exists("item_id"), "filter.exists.column", "is not one that filters read; name it in"),
        (
            Exists("brand") & Eq("price", "20"),
            "filter.and[1].eq.value",
            "filter.and[1].eq.value: column 'price' holds numbers; got the text '20': give a "
            "number such as 20",
        ),
        (Eq("price", True), "filter.eq.value", "holds numbers; got true: give a number"),
        (Eq("brand", 5), "filter.eq.value", "holds one text per item; got 5: give a text such as"),
        (In("brand", ["a", 5]), "filter.in.values[1]", "holds one text per item; got 5"),
        (Eq("sold_out", 1), "filter.eq.value", "holds true or false; got 1: give true or false"),
        (Eq("added", "soon"), "filter.eq.value", "holds times; got the text 'soon': give a time"),
        (~Eq("tags", "new"), "filter.not.eq", "one or more texts per item; = and in compare one"),
        (Contains("brand", "a"), "filter.contains", "contains searches in several texts"),
        (Contains("tags", 5), "filter.contains.value", "got 5: give a text"),
        (
            Exists("brand") | Range("brand", lt="b"),
            "filter.or[1].range",
            "column 'brand' holds one text per item; only numbers and times have a range: use = or",
        ),
        (Range("tags", lt=5), "filter.range", "use contains"),
        (Range("price", lt="a"), "filter.range.lt", "holds numbers; got the text 'a'"),
        (Range("price", ge=20, lt=10), "filter.range", "no value is above 20 and below 10"),
        (Range("price", gt=20, le=20), "filter.range", "exchange the bounds, or include them"),
        (Range("added", ge="2024-05-02", le=0), "filter.range", "no value is above '2024-05-02'"),
    ],
)
def test_a_filter_that_does_not_fit_the_columns_is_refused_with_its_path(
    columns: FilterColumns, filter: Filter, field: str, message: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        columns.rows(filter)
    assert caught.value.field == field and message in caught.value.message


def test_the_path_of_the_filter_is_that_of_the_request(columns: FilterColumns) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        columns.rows(~Exists("none"), path="requests[3].filter")
    assert caught.value.field == "requests[3].filter.not.exists.column"


def test_columns_of_categories_are_typed_by_their_values() -> None:
    table = pa.table(
        {
            "item_id": ["a", "b"],
            "kind": ["x|y", None],
            "year": pa.array([1994, None], pa.int64()),
            "flag": [True, None],
        }
    )
    catalogue = Catalogue.of(table, CatalogueFields(categories=("kind", "year", "flag")))
    columns = FilterColumns.of(catalogue)
    assert columns.schema.types == {"kind": "texts", "year": "text", "flag": "boolean"}
    for filter in (Contains("kind", "y"), Eq("year", "1994"), Eq("flag", True)):
        assert columns.rows(filter).rows.tolist() == [0]


def test_later_items_have_the_types_of_the_first_ones() -> None:
    first = pa.table({"item_id": ["a"], "kind": ["x|y"]})
    later = pa.table({"item_id": ["b"], "kind": ["y"]})
    fields = CatalogueFields(categories=("kind",))
    schema = FilterColumns.of(Catalogue.of(first, fields)).schema
    columns = FilterColumns.of(Catalogue.of(later, fields), schema)
    assert columns.rows(Contains("kind", "y")).rows.tolist() == [0]


def test_entries_are_the_rows_and_codes_of_all_values(columns: FilterColumns) -> None:
    def entries(column: str) -> list[list[int]]:
        return [each.tolist() for each in columns.entries(column)]

    assert entries("brand") == [[0, 1], [0, 1]]
    assert entries("price") == [[0, 1], [0, 1]]
    assert entries("sold_out") == [[0, 1], [1, 0]]
    rows, codes = entries("tags")
    assert len(rows) == len(codes) and set(rows) == set(columns.rows(Exists("tags")).rows.tolist())
    repeated = FilterColumns.of(catalogue_of([{"tags": ["new", "sale", "new"]}]))
    assert [each.tolist() for each in repeated.entries("tags")] == [[0, 0], [0, 1]]
    with pytest.raises(InvalidRequestError, match="did you mean 'price'") as caught:
        columns.entries("prise", path="crowding.prise")
    assert caught.value.field == "crowding.prise"


def test_a_description_has_types_examples_and_missing_values(columns: FilterColumns) -> None:
    described = {each.name: (each.type, each.examples, each.missing) for each in columns.describe()}
    assert described == {
        "price": ("number", (5.0, 20.0), 1),
        "brand": ("text", ("acme", "apex"), 1),
        "tags": ("texts", ("new", "sale"), 1),
        "sold_out": ("boolean", (False, True), 1),
        "added": ("time", ("1970-01-01T00:00:00Z", "2024-05-01T00:00:00Z"), 1),
    }


def test_a_column_without_values_has_no_rows() -> None:
    columns = FilterColumns.of(catalogue_of([{}, {}]))
    for name in columns.schema.types:
        assert columns.rows(Exists(name)).rows.tolist() == []
        assert columns.rows(~Exists(name)).rows.tolist() == [0, 1]
    assert all(each.examples == () for each in columns.describe())
    assert columns.rows(Range("price", lt=5) | Contains("tags", "a")).rows.tolist() == []
