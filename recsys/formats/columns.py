"""Raw columns to the engine's own: ids and categories as text, times as int64 seconds in UTC,
weights as float64. A missing value is null.

A value that is there but cannot be read is a fault with its row, or becomes null where the caller
asks for it. pandas only parses columns of text that Arrow cannot parse as a whole.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import DataError
from recsys.formats.sources import InteractionColumns, TimestampUnit
from recsys.ids import Mask
from recsys.interactions import (
    FIRST_SECOND,
    ITEM,
    LAST_SECOND,
    POSITION,
    TIMESTAMP,
    USER,
    WEIGHT,
)
from recsys.tables import require_columns

Unreadable = Literal["raise", "missing"]
Numbers = npt.NDArray[np.int64] | npt.NDArray[np.float64]
TEXT = pa.large_string()
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def interactions_table(
    table: pa.Table, columns: InteractionColumns, *, name: str, unreadable: Unreadable = "raise"
) -> pa.Table:
    """The columns that ``columns`` names, under the engine's names and with its types."""
    require_columns(columns.named().values(), table.column_names, name)
    made: dict[str, pa.ChunkedArray] = {}
    for own, named in columns.named().items():
        raw = RawColumn(table.column(named), f"{name}: column '{named}'", unreadable)
        if own in (USER, ITEM):
            made[own] = raw.ids()
        elif own == TIMESTAMP:
            made[own] = raw.seconds(columns.timestamp_unit)
        elif own == POSITION:
            made[own] = raw.integers()
        elif own == WEIGHT:
            made[own] = raw.numbers()
        else:
            made[own] = raw.categories()
    return pa.table(made)


def add_user_columns(
    table: pa.Table, users: pa.Table, columns: tuple[str, ...], *, user: str = USER
) -> pa.Table:
    """``table`` with text columns of its users, from the first row of each in ``users``."""
    known = pc.cast(users.column(user), TEXT).combine_chunks()
    rows = pc.index_in(table.column(USER), value_set=known)
    for column in columns:
        values = RawColumn(users.column(column), f"users: column '{column}'").categories()
        table = table.append_column(column, values.take(rows))
    return table


class RawColumn:
    """One column as it was written, to be read with a meaning.

    Example:
        >>> raw = pa.chunked_array([["007", "12"]])
        >>> RawColumn(raw, "a.csv: column 'user_id'").ids().to_pylist()
        ['007', '12']
    """

    def __init__(self, raw: pa.ChunkedArray, name: str, unreadable: Unreadable = "raise") -> None:
        kind = raw.type.value_type if pa.types.is_dictionary(raw.type) else raw.type
        self._is_text = any(is_kind(kind) for is_kind in _TEXT_KINDS)
        self._name = name
        self._unreadable = unreadable
        try:
            raw = pc.cast(raw, TEXT if self._is_text else kind)
        except pa.ArrowException as error:
            raise DataError(f"{name} cannot be read as text: {error}") from None
        self._raw = pc.if_else(pc.equal(raw, ""), None, raw) if self._is_text else raw

    def present(self) -> Mask:
        """Where there is a value, bool ``[n]``; empty text is none."""
        valid: Mask = self._raw.is_valid().to_numpy()
        return valid

    def ids(self) -> pa.ChunkedArray:
        """Text exactly as written; whole numbers as their digits; empty text is null."""
        kind = self._raw.type
        if pa.types.is_floating(kind):  # what pandas makes of whole numbers with gaps
            values = self._values()
            return pc.cast(self._whole(values, _fractional(values), "text or a whole number"), TEXT)
        if not self._is_text and not pa.types.is_integer(kind):
            raise DataError(f"{self._name} must hold ids: text or whole numbers; it holds {kind}")
        return pc.cast(self._raw, TEXT)

    def categories(self) -> pa.ChunkedArray:
        """Text; numbers and truth values as they print; empty text is null."""
        if pa.types.is_nested(self._raw.type):
            raise DataError(f"{self._name} must hold single values; it holds {self._raw.type}")
        if pa.types.is_floating(self._raw.type) and not _fractional(self._values()).any():
            return self.ids()
        return pc.cast(self._raw, TEXT)

    def numbers(self) -> pa.ChunkedArray:
        """float64; NaN counts as null."""
        values, bad = self._parsed_numbers()
        self._refuse(bad, "a number")
        return _chunked(values.astype(np.float64), np.isnan(values))

    def integers(self) -> pa.ChunkedArray:
        """int64."""
        values, bad = self._parsed_numbers()
        return self._whole(values, bad | _fractional(values), "a whole number")

    def seconds(self, unit: TimestampUnit) -> pa.ChunkedArray:
        """int64 seconds since 1970 in UTC, rounded down."""
        kind = self._raw.type
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            times = pc.cast(self._raw, pa.timestamp("s")) if pa.types.is_date(kind) else self._raw
            unit = times.type.unit
            ticks = pc.fill_null(pc.cast(times, pa.int64()), 0).to_numpy()
            values = np.where(times.is_null().to_numpy(), np.nan, ticks // _PER_SECOND[unit])
            bad = np.zeros(len(values), bool)
        else:
            values, bad = self._parsed_times(_PER_SECOND[unit])
            bad = bad | np.isinf(values)
            self._refuse(bad, f"a number in '{unit}' since 1970 or ISO-8601 text")
            values = np.where(bad, 0, values) // _PER_SECOND[unit]
        outside = (values < FIRST_SECOND) | (values > LAST_SECOND)
        moment = f"a moment between the years 1 and 9999 (is its unit '{unit}'?)"
        return self._whole(values, bad | outside, moment)

    def _values(self) -> Numbers:
        """A column of numbers as int64, or as float64 with NaN where a value is missing."""
        kind = self._raw.type
        exact = pa.types.is_integer(kind) and kind != pa.uint64() and not self._raw.null_count
        try:
            return pc.cast(self._raw, pa.int64() if exact else pa.float64()).to_numpy()  # type: ignore[no-any-return]
        except pa.ArrowException:
            raise DataError(f"{self._name} must hold numbers; it holds {kind}") from None

    def _parsed_numbers(self) -> tuple[Numbers, Mask]:
        """Values as int64 or float64, and where there is text that is no number."""
        none_bad = np.zeros(len(self._raw), bool)
        if not self._is_text:
            return self._values(), none_bad
        for kind in (pa.int64(), pa.float64()):
            try:
                return pc.cast(self._raw, kind).to_numpy(), none_bad
            except pa.ArrowInvalid:
                continue
        text = self._raw.to_pandas()
        values = pd.to_numeric(text, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        return values, np.isnan(values) & self.present()

    def _parsed_times(self, per_second: int) -> tuple[Numbers, Mask]:
        """Values in their unit, ISO-8601 text put into it, and where text is neither."""
        values, bad = self._parsed_numbers()
        if not bad.any():
            return values, bad
        text = self._raw.filter(pa.array(bad)).to_pandas()
        moments = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
        seconds = moments.dt.tz_localize(None).to_numpy("datetime64[s]")
        as_numbers = np.where(np.isnat(seconds), np.nan, seconds.astype(np.int64))
        values = values.astype(np.float64)
        values[bad] = as_numbers * per_second
        return values, bad & np.isnan(values)

    def _whole(self, values: Numbers, bad: Mask, expected: str) -> pa.ChunkedArray:
        """int64; ``bad`` values are refused or become null."""
        bad = bad | np.isinf(values)
        self._refuse(bad, expected)
        missing = bad | np.isnan(values)
        return _chunked(np.where(missing, 0, values).astype(np.int64), missing)

    def _refuse(self, bad: Mask, expected: str) -> None:
        if self._unreadable == "missing" or not bad.any():
            return
        row = int(bad.argmax())
        try:
            value = self._raw[row].as_py()
        except (ValueError, OverflowError):  # a moment outside the years that Python has
            value = self._raw[row].value
        raise DataError(
            f"{self._name}, row {row + 1}: expected {expected}, got {value!r:.80}; fix it, or let "
            "ingestion skip such rows (bad_rows = 'skip')"
        )


_TEXT_KINDS = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_null,
)


def _chunked(values: Numbers, missing: Mask) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, mask=missing if missing.any() else None)])


def _fractional(values: Numbers) -> Mask:
    """Where a number is not a whole one that float64 holds exactly; NaN counts as whole."""
    if values.dtype != np.float64:
        return np.zeros(len(values), bool)
    with np.errstate(invalid="ignore"):
        broken: Mask = (values % 1 != 0) | (np.abs(values) > 2.0**53)
    present: Mask = ~np.isnan(values)
    return broken & present
