"""One table from the parts of a folder, whose types may differ where no value changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import DataError


def concatenated(parts: Mapping[str, pa.Table]) -> pa.Table:
    """The rows of all parts, by their names in messages. A column that a part lacks is null there.

    Whole numbers of any width, decimals and floats without fractions become int64; other numbers
    float64; text and whole numbers text; dates and times of any unit and zone microseconds in UTC.

    Raises:
        DataError: A column has types that have no common one, or a value would change.

    Example:
        >>> parts = {"a": pa.table({"id": pa.array([1], "int32")}), "b": pa.table({"id": [2]})}
        >>> concatenated(parts)["id"].to_pylist()
        [1, 2]
    """
    columns = dict.fromkeys(name for table in parts.values() for name in table.column_names)
    made = dict(parts)
    for column in columns:
        having = {name: table for name, table in made.items() if column in table.column_names}
        kinds = {table.schema.field(column).type for table in having.values()}
        if len(kinds) > 1:
            chunks = _unified(column, {name: table[column] for name, table in having.items()})
            for name, values in chunks.items():
                position = made[name].column_names.index(column)
                made[name] = made[name].set_column(position, column, values)
    return pa.concat_tables(
        [table.replace_schema_metadata(None) for table in made.values()], promote_options="default"
    )


def _unified(column: str, values: Mapping[str, pa.ChunkedArray]) -> dict[str, pa.ChunkedArray]:
    """The values of each part in the first common type that changes none of them."""
    for kind in _candidates([each.type for each in values.values()]):
        try:
            return {name: _cast(each, kind) for name, each in values.items()}
        except pa.ArrowException:
            continue
    first = next(name for name, each in values.items() if not pa.types.is_null(each.type))
    kinds = {name: each.type for name, each in values.items() if not pa.types.is_null(each.type)}
    other = next((name for name, kind in kinds.items() if kind != kinds[first]), first)
    raise DataError(
        f"{other}: column '{column}' holds {values[other].type}, in {first} it holds "
        f"{values[first].type}, and there is no type that keeps all values of both; write the "
        "column with one type in all files (text for ids), or name one file"
    )


def _candidates(kinds: list[pa.DataType]) -> Iterator[pa.DataType]:
    """Types that may hold all values, the preferred one first."""
    kinds = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in kinds]
    kinds = [kind for kind in kinds if not pa.types.is_null(kind)]
    text = [_is_text(kind) for kind in kinds]
    numbers = [_is_number(kind) for kind in kinds]
    if all(numbers):
        yield from (pa.int64(), pa.uint64(), pa.decimal128(38, 0), pa.float64())
    elif all(is_text or is_number for is_text, is_number in zip(text, numbers)):
        yield pa.large_string()
    elif all(pa.types.is_timestamp(kind) or pa.types.is_date(kind) for kind in kinds):
        yield from (pa.timestamp("us", "UTC"), pa.timestamp("ns", "UTC"))
    elif all(map(_is_list, kinds)):
        yield from map(pa.large_list, _candidates([kind.value_type for kind in kinds]))


def _cast(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    given = values.type
    if pa.types.is_floating(given) and not pa.types.is_floating(kind):  # NaN of pandas: missing
        values = pc.if_else(pc.is_nan(values), None, values).cast(pa.int64())
    if pa.types.is_decimal(given) and pa.types.is_large_string(kind):
        values = values.cast(pa.decimal128(38, 0))
    if pa.types.is_decimal(kind) and pa.types.is_decimal(given):
        return values.cast(pa.decimal128(38, given.scale)).cast(kind)
    if pa.types.is_timestamp(given) and given.tz is None and pa.types.is_timestamp(kind):
        return pc.assume_timezone(values.cast(pa.timestamp(kind.unit)), "UTC")
    if pa.types.is_date(given) and pa.types.is_timestamp(kind):
        return pc.assume_timezone(values.cast(pa.timestamp(kind.unit)), "UTC")
    return values.cast(kind)


def _is_text(kind: pa.DataType) -> bool:
    checks = (
        *(pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
        *(pa.types.is_binary, pa.types.is_large_binary),
    )
    return any(check(kind) for check in checks)


def _is_number(kind: pa.DataType) -> bool:
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return any(check(kind) for check in checks)


def _is_list(kind: pa.DataType) -> bool:
    checks = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(check(kind) for check in checks)
