"""Columns of the items table with numbers, truth values and times, read with their types."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.catalogue import CatalogueFields, FilterType
from recsys.formats.columns import RawColumn
from recsys.formats.delimited import number_remedy
from recsys.formats.times import TimeFormat
from recsys.ids import Mask
from recsys.ingestion.policy import IngestPolicy
from recsys.ingestion.row_filter import RowFilter

REMEDY = "fix it, or set bad_rows = 'skip'"


def typed_columns(
    table: pa.Table, raw: pa.Table, fields: CatalogueFields, rows: RowFilter, policy: IngestPolicy
) -> pa.Table:
    """``table`` with the typed columns of ``raw``: float64, bool, and times as int64 seconds.

    A value that cannot be read is missing and reported.

    Raises:
        DataError: A value cannot be read, and the policy is to raise.
    """
    types: dict[str, FilterType] = dict.fromkeys(fields.numbers, "number")
    for column, kind in (types | fields.filters).items():
        if kind not in _READERS:
            continue
        read, fault = _READERS[kind]
        written = RawColumn(raw[column], f"items: column '{column}'", "missing")
        values = read(written)
        broken = written.present() & values.is_null().to_numpy()
        marks = _marks(raw[column], broken) if kind == "number" else ""
        rows.miss(
            f"{fault}{'' if policy.bad_rows == 'raise' else marks}",
            broken,
            raw[column],
            column=column,
            policy=policy.bad_rows,
            remedy=f"{REMEDY}, which reads it as missing{marks}",
        )
        table = table.set_column(table.column_names.index(column), column, values)
    return table


def _finite_numbers(written: RawColumn) -> pa.ChunkedArray:
    numbers = written.numbers()
    return pc.if_else(np.isfinite(numbers.to_numpy()), numbers, None)


def _seconds(written: RawColumn) -> pa.ChunkedArray:
    return written.seconds(TimeFormat())


_READERS: Mapping[FilterType, tuple[Callable[[RawColumn], pa.ChunkedArray], str]] = {
    "number": (_finite_numbers, "not a finite number"),
    "boolean": (RawColumn.booleans, "not true or false"),
    "time": (_seconds, "not a time (ISO-8601, or seconds since 1970)"),
}
"""Reader of each type that is not text, and the fault of other values."""


def _marks(raw: pa.ChunkedArray, broken: Mask) -> str:
    """The keys that read the first broken number, or ""."""
    first = str(raw[int(broken.argmax())].as_py()) if broken.any() else ""
    remedy = number_remedy(first)
    return f"; to read it, {remedy} in [data.items]" if remedy else ""
