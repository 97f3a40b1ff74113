"""Raw columns to the engine's own: ids and categories as text, times as int64 seconds in UTC,
weights as float64.

What a missing value means is for ingestion to say; here it stays missing. A value that is there
but cannot be read is a fault with its row, or is made missing where the caller asks for it.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import DataError
from recsys.formats.sources import InteractionColumns, TimestampUnit
from recsys.interactions import ITEM, POSITION, TIMESTAMP, USER, WEIGHT

Unreadable = Literal["raise", "missing"]
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # the years 1 and 9999


def interactions_frame(
    table: pa.Table, columns: InteractionColumns, *, name: str, unreadable: Unreadable = "raise"
) -> pd.DataFrame:
    """The columns that ``columns`` names, under the engine's names and with its types.

    Args:
        table: Raw columns, any types.
        columns: Which of them mean what.
        name: What messages call the table.
        unreadable: Raise for a value that cannot be read, or take it for missing.

    Returns:
        One line a row of ``table``, in its order. Text columns have None or NaN where missing;
        "timestamp" and "position" are int64, or Int64 where a value is missing.

    Raises:
        DataError: A value cannot be read; file, column, row (from 1) and value are told.
    """
    made: dict[str, Any] = {}
    for mine, theirs in columns.named().items():
        reading = Reading(table.column(theirs), f"{name}: column '{theirs}'", unreadable)
        if mine in (USER, ITEM):
            made[mine] = reading.ids()
        elif mine == TIMESTAMP:
            made[mine] = reading.seconds(columns.timestamp_unit)
        elif mine == POSITION:
            made[mine] = reading.integers()
        elif mine == WEIGHT:
            made[mine] = reading.numbers()
        else:
            made[mine] = reading.categories()
    return pd.DataFrame(made)


class Reading:
    """One raw column, read as what it is asked for.

    Example:
        >>> Reading(pa.chunked_array([["007", "12"]]), "a.csv: column 'user_id'").ids().tolist()
        ['007', '12']
    """

    def __init__(self, raw: pa.ChunkedArray, name: str, unreadable: Unreadable = "raise") -> None:
        kind = raw.type.value_type if pa.types.is_dictionary(raw.type) else raw.type
        self._is_text = any(is_kind(kind) for is_kind in _TEXT_KINDS)
        self._name = name
        self._unreadable = unreadable
        try:
            raw = pc.cast(raw, pa.large_string() if self._is_text else kind)
        except pa.ArrowException as error:
            raise DataError(f"{name} cannot be read as text: {error}") from None
        self._raw = pc.if_else(pc.equal(raw, ""), None, raw) if self._is_text else raw

    def present(self) -> npt.NDArray[np.bool_]:
        """Where there is a value, bool ``[n]``; empty text is none."""
        valid: npt.NDArray[np.bool_] = self._raw.is_valid().to_numpy()
        return valid

    def ids(self) -> pd.Series[Any]:
        """Text exactly as written; whole numbers as their digits; empty text is missing."""
        kind = self._raw.type
        if pa.types.is_floating(kind):  # what pandas makes of whole numbers with gaps
            values = self._values()
            whole, missing = self._whole(values, _fractional(values), "text or a whole number")
            return _text(pa.chunked_array([pa.array(whole, mask=missing)]))
        if not self._is_text and not pa.types.is_integer(kind):
            raise DataError(f"{self._name} must hold ids: text or whole numbers; it holds {kind}")
        return _text(self._raw)

    def categories(self) -> pd.Series[Any]:
        """Text; numbers and truth values as they print; empty text is missing."""
        if pa.types.is_nested(self._raw.type):
            raise DataError(f"{self._name} must hold one value a row; it holds {self._raw.type}")
        if pa.types.is_floating(self._raw.type) and not _fractional(self._values()).any():
            return self.ids()
        return _text(self._raw)

    def numbers(self) -> pd.Series[Any]:
        """float64; missing is NaN, and so is a value that was made missing."""
        if self._is_text:
            values, bad = self._parsed_numbers()
            self._refuse(bad, "a number")
        else:
            values = self._values()
        return pd.Series(values.astype(np.float64))

    def integers(self) -> pd.Series[Any]:
        """int64, or Int64 where a value is missing."""
        values, bad = self._parsed_numbers()
        return _integers(*self._whole(values, bad | _fractional(values), "a whole number"))

    def seconds(self, unit: TimestampUnit) -> pd.Series[Any]:
        """int64 seconds since 1970 in UTC, rounded down, or Int64 where a value is missing."""
        kind = self._raw.type
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            times = pc.cast(self._raw, pa.timestamp("s")) if pa.types.is_date(kind) else self._raw
            ticks = pc.fill_null(pc.cast(times, pa.int64()), 0).to_numpy()
            return _integers(ticks // _PER_SECOND[times.type.unit], times.is_null().to_numpy())
        values, bad = self._parsed_times(_PER_SECOND[unit])
        bad = bad | np.isinf(values)
        self._refuse(bad, f"a number in '{unit}' since 1970 or ISO-8601 text")
        values = np.where(bad, 0, values) // _PER_SECOND[unit]
        outside = (values < _FIRST_SECOND) | (values > _LAST_SECOND)
        moment = f"a moment between the years 1 and 9999 (is its unit '{unit}'?)"
        return _integers(*self._whole(values, bad | outside, moment))

    def _values(self) -> npt.NDArray[Any]:
        """A column of numbers as int64, or as float64 with NaN where a value is missing."""
        kind = self._raw.type
        exact = pa.types.is_integer(kind) and kind != pa.uint64() and not self._raw.null_count
        try:
            return pc.cast(self._raw, pa.int64() if exact else pa.float64()).to_numpy()  # type: ignore[no-any-return]
        except pa.ArrowException:
            raise DataError(f"{self._name} must hold numbers; it holds {kind}") from None

    def _parsed_numbers(self) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
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
        return values, np.isnan(values) & text.notna().to_numpy()

    def _parsed_times(self, per_second: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
        """Values in their unit, ISO-8601 text put into it, and where text is neither."""
        values, bad = self._parsed_numbers()
        if not bad.any():
            return values, bad
        text = self._raw.to_pandas()[bad]
        moments = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
        seconds = moments.dt.tz_localize(None).to_numpy("datetime64[s]")
        as_numbers = np.where(np.isnat(seconds), np.nan, seconds.astype(np.int64))
        values = values.astype(np.float64)
        values[bad] = as_numbers * per_second
        return values, bad & np.isnan(values)

    def _whole(
        self, values: npt.NDArray[Any], bad: npt.NDArray[np.bool_], expected: str
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """int64 values, and where one is missing; ``bad`` ones are refused or made missing."""
        bad = bad | np.isinf(values)
        self._refuse(bad, expected)
        missing = bad | np.isnan(values)
        return np.where(missing, 0, values).astype(np.int64), missing

    def _refuse(self, bad: npt.NDArray[np.bool_], expected: str) -> None:
        if self._unreadable == "missing" or not bad.any():
            return
        row = int(bad.argmax())
        value = self._raw[row].as_py()
        raise DataError(
            f"{self._name}, row {row + 1}: expected {expected}, got {value!r:.80}; mend it, or let "
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


def _text(raw: pa.ChunkedArray) -> pd.Series[Any]:
    text: pd.Series[Any] = pc.cast(raw, pa.large_string()).to_pandas()
    return text


def _fractional(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where a number is not a whole one that float64 holds exactly; NaN counts as whole."""
    if values.dtype != np.float64:
        return np.zeros(len(values), bool)
    with np.errstate(invalid="ignore"):
        broken: npt.NDArray[np.bool_] = (values % 1 != 0) | (np.abs(values) > 2.0**53)
    present: npt.NDArray[np.bool_] = ~np.isnan(values)
    return broken & present


def _integers(values: npt.NDArray[np.int64], missing: npt.NDArray[np.bool_]) -> pd.Series[Any]:
    if not missing.any():
        return pd.Series(values)
    return pd.Series(pd.arrays.IntegerArray(values, missing))
