"""Arrow tables, which readers, ingestion and storage share; tables of pandas are converted once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from recsys.errors import DataError, suggestion

TableLike: TypeAlias = "pa.Table | pd.DataFrame"


def as_table(data: TableLike, name: str) -> pa.Table:
    """An Arrow table from either kind; the index of a pandas table is left out.

    Raises:
        DataError: A column of pandas mixes kinds of values, or two columns have one name.

    Example:
        >>> as_table(pd.DataFrame({"item_id": ["lamp"]}), "items").column_names
        ['item_id']
    """
    names = data.column_names if isinstance(data, pa.Table) else [str(c) for c in data.columns]
    twice = [column for column in names if names.count(column) > 1]
    if twice:
        raise DataError(f"{name}: column '{twice[0]}' is there twice; rename one of them")
    if isinstance(data, pa.Table):
        return plain_types(data)
    try:
        table = pa.Table.from_pandas(data, preserve_index=False)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{name}: a column mixes kinds of values: {error}") from error
    return plain_types(table.rename_columns(names).replace_schema_metadata(None))


def plain_types(table: pa.Table) -> pa.Table:
    """The table with the first moment of each pandas Period, and the storage of other extensions.

    Without it, a parquet file of periods is a column of integers that count days or months.
    """
    for position, column in enumerate(table.schema):
        values, freq = table.column(position), _period_freq(column)
        if isinstance(column.type, pa.BaseExtensionType):
            values = pa.chunked_array(
                [chunk.storage for chunk in values.chunks], column.type.storage_type
            )
        elif freq is None:
            continue
        if freq is not None:
            ordinals = values.drop_null().to_numpy()
            moments = pd.PeriodIndex.from_ordinals(ordinals, freq=freq).to_timestamp()  # type: ignore[attr-defined]
            filled = np.full(len(values), "NaT", "datetime64[us]")
            filled[values.is_valid().to_numpy()] = moments.to_numpy("datetime64[us]")
            values = pa.chunked_array([pa.array(filled)])
        table = table.set_column(position, column.name, values)
    return table


def _period_freq(column: pa.Field) -> str | None:
    """The frequency of a column of pandas Periods, which pandas registers as a type or not."""
    if isinstance(column.type, pa.BaseExtensionType):
        found = getattr(column.type, "freq", None)
        return None if found is None else str(found)
    metadata = column.metadata or {}
    if metadata.get(b"ARROW:extension:name") != b"pandas.period":
        return None
    return str(json.loads(metadata[b"ARROW:extension:metadata"])["freq"])


def require_columns(wanted: Iterable[str | None], columns: Sequence[str], name: str) -> None:
    """Check that ``columns`` include all ``wanted`` ones; None is skipped.

    Raises:
        DataError: A column is missing; the message has the nearest name and the present ones.
    """
    for column in wanted:
        if column is not None and column not in columns:
            hint = suggestion(column, columns)
            known = ", ".join(columns) or "none"
            raise DataError(f"{name}: no column '{column}'{hint} (its columns: {known})")


def factorize(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], list[Any]]:
    """Codes of the values, int64 ``[n]`` with -1 for null, and the distinct values by code.

    Codes count up in the order of first appearance.

    Example:
        >>> codes, values = factorize(pa.chunked_array([["b", "a", None, "b"]]))
        >>> codes.tolist(), values
        ([0, 1, -1, 0], ['b', 'a'])
    """
    encoded = column.dictionary_encode().combine_chunks()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, encoded.dictionary.to_pylist()


def is_text(kind: pa.DataType) -> bool:
    """Whether a type of Arrow is a string."""
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )
