"""Raw columns to the engine's own: ids and categories as text, times as int64 seconds in UTC,
weights as float64. A missing value is null.

A value that is there but cannot be read is a fault with its row, or becomes null and is collected
where the caller asks for it. pandas only parses columns of text that Arrow cannot parse as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import DataError
from recsys.formats.delimited import no_notes, number_remedy
from recsys.formats.sources import InteractionColumns
from recsys.formats.times import (
    PER_SECOND,
    TimeFormat,
    date_format_of,
    parsed_digits,
    parsed_times,
    remedy_of,
)
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
from recsys.tables import plain_types, require_columns

Notes = Callable[[str], None]
"""A callback that receives one line per detected property of a file."""
Numbers = npt.NDArray[np.int64] | npt.NDArray[np.float64]
TEXT = pa.large_string()


@dataclass(frozen=True)
class UnreadColumn:
    """Values of one column that could not be read.

    Attributes:
        column: The engine's name of the column.
        expected: Description of the values that can be read.
        values: Values as written, text ``[n]``; null in every other row.
    """

    column: str
    expected: str
    values: pa.ChunkedArray


@dataclass(eq=False)
class UnreadValues:
    """Collects values of one table that cannot be read and are read as null.

    Example:
        >>> unread, raw = UnreadValues(), pa.table({"u": ["a"], "i": ["b"], "at": ["soon"]})
        >>> columns = InteractionColumns(user="u", item="i", timestamp="at")
        >>> table = interactions_table(raw, columns, name="log", unreadable=unread)
        >>> table["timestamp"].to_pylist(), unread.columns[0].values.to_pylist()
        ([None], ['soon'])
    """

    columns: list[UnreadColumn] = field(default_factory=list)

    def add(self, column: str, values: pa.ChunkedArray, expected: str) -> None:
        """Collect values that were not collected before; other rows of ``values`` are null."""
        for found in self.columns:
            if found.column == column:
                values = pc.if_else(found.values.is_valid(), None, values)
        if values.null_count < len(values):
            self.columns.append(UnreadColumn(column, expected, values))


Unreadable = Literal["raise", "missing"] | UnreadValues
"""Treatment of a value that cannot be read: an error, null, or null and collected."""
Collect = Callable[[pa.ChunkedArray, str], None]
"""A callback that receives the unread values of a column and the expected kind."""


def treated(unreadable: Unreadable, column: str) -> Literal["raise", "missing"] | Collect:
    """The treatment of values of one column, named as the engine does."""
    return partial(unreadable.add, column) if isinstance(unreadable, UnreadValues) else unreadable


def interactions_table(
    table: pa.Table,
    columns: InteractionColumns,
    *,
    name: str,
    unreadable: Unreadable = "raise",
    notes: Notes = no_notes,
) -> pa.Table:
    """The columns that ``columns`` names, under the engine's names and with its types."""
    require_columns(columns.named().values(), table.column_names, name)
    table = plain_types(table)
    made: dict[str, pa.ChunkedArray] = {}
    for own, named in columns.named().items():
        raw = RawColumn(table.column(named), f"{name}: column '{named}'", treated(unreadable, own))
        if own in (USER, ITEM):
            made[own] = raw.ids()
        elif own == TIMESTAMP:
            times = TimeFormat(columns.timestamp_unit, columns.date_format)
            made[own] = raw.seconds(times, notes)
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

    def __init__(
        self,
        raw: pa.ChunkedArray,
        name: str,
        unreadable: Literal["raise", "missing"] | Collect = "raise",
    ) -> None:
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
        if pa.types.is_decimal(kind):  # whole numbers of databases, exact to the last digit
            return self._decimal_digits()
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
        self._refuse(bad, "a number", lambda value: number_remedy(value) or "fix it")
        return _chunked(values.astype(np.float64), np.isnan(values))

    def integers(self) -> pa.ChunkedArray:
        """int64."""
        values, bad = self._parsed_numbers()
        return self._whole(values, bad | _fractional(values), "a whole number")

    def booleans(self) -> pa.ChunkedArray:
        """Truth values; also 1 and 0, and true, t, yes, y and their opposites as text."""
        if pa.types.is_boolean(self._raw.type):
            return self._raw
        texts = pc.ascii_lower(pc.utf8_trim_whitespace(self.categories()))
        bad = pc.fill_null(pc.invert(pc.is_in(texts, value_set=_TRUE_OR_FALSE)), False).to_numpy()
        missing = texts.is_null().to_numpy()
        self._refuse(bad & ~missing, "true or false (or yes or no, 1 or 0)")
        return pc.if_else(pa.array(bad | missing), None, pc.is_in(texts, value_set=_TRUE))

    def seconds(self, times: TimeFormat, notes: Notes = no_notes) -> pa.ChunkedArray:
        """int64 seconds since 1970 in UTC, rounded down."""
        kind = self._raw.type
        unit = times.unit or "s"
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            moments = pc.cast(self._raw, pa.timestamp("s")) if pa.types.is_date(kind) else self._raw
            unit = moments.type.unit
            ticks = pc.fill_null(pc.cast(moments, pa.int64()), 0).to_numpy()
            values = np.where(moments.is_null().to_numpy(), np.nan, ticks // PER_SECOND[unit])
            bad = np.zeros(len(values), bool)
        else:
            times = self._with_dates(times, notes)
            values, bad = self._parsed_times(times)
            bad = bad | np.isinf(values)
            self._refuse(bad, times.describe(), remedy_of)
            values = np.where(bad, 0, values) // PER_SECOND[unit]
        outside = (values < FIRST_SECOND) | (values > LAST_SECOND)
        moment = f"a moment between the years 1 and 9999 (is its unit '{unit}'?)"
        return self._whole(values, bad | outside, moment)

    def _with_dates(self, times: TimeFormat, notes: Notes) -> TimeFormat:
        """``times``, with the format of the numbers if most are dates, such as 20240131."""
        if times.unit is not None or times.date_format is not None:
            return times
        values, _ = self._parsed_numbers()
        found = date_format_of(values)
        if found is None:
            return times
        first = values[~np.isnan(parsed_digits(values, found))][0]
        notes(
            f"{self._name} holds dates such as {first:.0f}: read as "
            f"date_format = '{found}' (timestamp_unit = 's' would read seconds since 1970)"
        )
        return TimeFormat(digits=found)

    def _decimal_digits(self) -> pa.ChunkedArray:
        """Digits of decimals that are whole numbers."""
        whole = pc.floor(self._raw)
        same = pc.equal(whole, self._raw)
        self._refuse(pc.fill_null(pc.invert(same), False).to_numpy(), "text or a whole number")
        exact = pa.decimal256(76, 0) if pa.types.is_decimal256(whole.type) else pa.decimal128(38, 0)
        return pc.cast(pc.cast(pc.if_else(same, whole, None), exact), TEXT)

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

    def _parsed_times(self, times: TimeFormat) -> tuple[Numbers, Mask]:
        """Values in their unit, texts put into it, and where text is no time."""
        if times.date_format is None:
            values, bad = self._parsed_numbers()
        else:
            values, bad = np.full(len(self._raw), np.nan), self.present()
        if times.digits is not None:
            values = parsed_digits(values, times.digits)
            bad = self.present() & np.isnan(values)
        if not bad.any():
            return values, bad
        raw = self._raw if self._is_text else self.ids()
        values = values.astype(np.float64)
        values[bad] = parsed_times(raw.filter(pa.array(bad)), times)
        return values, bad & np.isnan(values)

    def _whole(self, values: Numbers, bad: Mask, expected: str) -> pa.ChunkedArray:
        """int64; ``bad`` values are refused or become null."""
        bad = bad | np.isinf(values)
        self._refuse(bad, expected)
        missing = bad | np.isnan(values)
        return _chunked(np.where(missing, 0, values).astype(np.int64), missing)

    def _refuse(
        self, bad: Mask, expected: str, remedy: Callable[[str], str] = lambda value: "fix it"
    ) -> None:
        if self._unreadable == "missing" or not bad.any():
            return
        if callable(self._unreadable):
            written = np.full(len(bad), None, object)
            written[bad] = [str(self._value(row)) for row in np.flatnonzero(bad).tolist()]
            self._unreadable(pa.chunked_array([pa.array(written, TEXT)]), expected)
            return
        row = int(bad.argmax())
        value = self._value(row)
        raise DataError(
            f"{self._name}, row {row + 1}: expected {expected}, got {value!r:.80}; "
            f"{remedy(str(value))}, or let ingestion skip such rows (bad_rows = 'skip')"
        )

    def _value(self, row: int) -> Any:
        try:
            return self._raw[row].as_py()
        except (ValueError, OverflowError):  # a moment outside the years that Python has
            return self._raw[row].value


_TRUE = pa.array(["true", "t", "yes", "y", "1"], TEXT)
_TRUE_OR_FALSE = pa.array([*_TRUE.to_pylist(), "false", "f", "no", "n", "0"], TEXT)
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
