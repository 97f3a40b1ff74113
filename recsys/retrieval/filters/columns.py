"""Columns in the forms that filters search: rows by value, and sorted numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyroaring import BitMap

from recsys.catalogue import FilterType
from recsys.formats.columns import RawColumn
from recsys.formats.times import TimeFormat
from recsys.ids import Rows
from recsys.index.rows import bitmap_of_mask, bitmap_of_rows
from recsys.tables import factorize
from recsys_client.filters import Value

Codes: TypeAlias = npt.NDArray[np.int32]
_FEW = 16
"""Slices of fewer than 1 / _FEW of the rows are sorted; larger ones become a mask."""


@dataclass(frozen=True, eq=False)
class ValueGroups:
    """Rows by the code of their value.

    Attributes:
        rows: Rows in the order of their codes, then ascending, int32 ``[entries]``.
        starts: Start of each code's rows, int64 ``[codes + 1]``.
        size: Number of rows of the catalogue.

    Example:
        >>> groups = ValueGroups.of(np.array([1, 0, 1]), np.arange(3), n_codes=2, size=3)
        >>> list(groups.with_any([1]))
        [0, 2]
    """

    rows: Rows
    starts: npt.NDArray[np.int64]
    size: int

    @classmethod
    def of(
        cls, codes: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], *, n_codes: int, size: int
    ) -> ValueGroups:
        """Groups of entries, each a code and a row; repeated entries count once."""
        entries = np.sort(codes << 32 | rows)  # several times as fast as an argsort or a unique
        entries = entries[np.diff(entries, prepend=-1) > 0]
        starts = np.searchsorted(entries, np.arange(n_codes + 1) << 32)
        return cls((entries & 0xFFFFFFFF).astype(np.int32), starts, size)

    def with_any(self, codes: Sequence[int]) -> BitMap:
        """Rows with at least one of the codes."""
        if len(codes) == 1 and self.counts[codes[0]] * _FEW >= self.size:
            return self._frequent(codes[0])
        parts = [self.rows[self.starts[code] : self.starts[code + 1]] for code in codes]
        return bitmap_of_unsorted(np.concatenate(parts), self.size) if parts else BitMap()

    def _frequent(self, code: int) -> BitMap:
        """Rows of one of the few codes that many rows have, built once."""
        if code not in self._bitmaps:
            rows = self.rows[self.starts[code] : self.starts[code + 1]]
            self._bitmaps.setdefault(code, bitmap_of_unsorted(rows, self.size))
        return self._bitmaps[code]

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """Number of rows of each code, int64 ``[codes]``."""
        return np.diff(self.starts)

    @cached_property
    def _bitmaps(self) -> dict[int, BitMap]:
        return {}


@dataclass(frozen=True, eq=False)
class CodedColumn:
    """A column with at most one text or truth value per item.

    Attributes:
        codes: Code of each item's value, int32 ``[items]``; -1 where it is missing.
        values: Values by code.

    Example:
        >>> brands = CodedColumn(np.array([1, -1, 0], np.int32), ["acme", "apex"])
        >>> list(brands.among(["apex", "none of them"])), list(brands.present)
        ([0], [0, 2])
    """

    codes: Codes
    values: Sequence[Value]

    @cached_property
    def present(self) -> BitMap:
        """Rows with a value."""
        return bitmap_of_mask(self.codes >= 0)

    @cached_property
    def _groups(self) -> ValueGroups:
        rows = np.flatnonzero(self.codes >= 0)
        codes = self.codes[rows].astype(np.int64)
        return ValueGroups.of(codes, rows, n_codes=len(self.values), size=len(self.codes))

    @cached_property
    def _code_of(self) -> Mapping[Value, int]:
        return {value: code for code, value in enumerate(self.values)}

    def among(self, values: Iterable[Value]) -> BitMap:
        """Rows whose value is among ``values``."""
        return self._groups.with_any(_known_codes(self._code_of, values))

    def examples(self, n: int) -> tuple[Value, ...]:
        """The most frequent values."""
        return _most_frequent(self._groups, self.values, n)


@dataclass(frozen=True, eq=False)
class TextsColumn:
    """A column with any number of texts per item.

    Attributes:
        values: Distinct texts by code.
        groups: Rows by the code of a text.
    """

    values: Sequence[str]
    groups: ValueGroups

    @cached_property
    def present(self) -> BitMap:
        """Rows with at least one text."""
        return bitmap_of_unsorted(self.groups.rows, self.groups.size)

    @cached_property
    def _code_of(self) -> Mapping[str, int]:
        return {value: code for code, value in enumerate(self.values)}

    def containing(self, value: str) -> BitMap:
        """Rows with a text."""
        return self.groups.with_any(_known_codes(self._code_of, [value]))

    def examples(self, n: int) -> tuple[Value, ...]:
        """The most frequent texts."""
        return _most_frequent(self.groups, self.values, n)


@dataclass(frozen=True, eq=False)
class NumberColumn:
    """A column of numbers, or of times in seconds since 1970.

    Attributes:
        numbers: Number of each item, float64 ``[items]``; NaN where it is missing.

    Example:
        >>> prices = NumberColumn(np.array([5.0, np.nan, 20.0]))
        >>> list(prices.within(gt=5.0)), list(prices.among([5.0, 7.0]))
        ([2], [0])
    """

    numbers: npt.NDArray[np.float64]

    @cached_property
    def present(self) -> BitMap:
        """Rows with a number."""
        return bitmap_of_mask(~np.isnan(self.numbers))

    @cached_property
    def codes(self) -> Codes:
        """Code of each item's number, ascending with the number, int32; -1 where it is missing."""
        codes = np.full(len(self.numbers), -1, np.int32)
        present = ~np.isnan(self.numbers)
        codes[present] = np.unique(self.numbers[present], return_inverse=True)[1]
        return codes

    @cached_property
    def values(self) -> Sequence[float]:
        """Distinct numbers by code."""
        values: list[float] = np.unique(self.numbers[~np.isnan(self.numbers)]).tolist()
        return values

    @cached_property
    def _ascending(self) -> tuple[Rows, npt.NDArray[np.float64]]:
        """Rows by their number, without missing ones, and these numbers."""
        order = np.argsort(self.numbers, kind="stable").astype(np.int32)
        order = order[: len(self.present)]  # NaN is last
        return order, self.numbers[order]

    def within(
        self,
        *,
        gt: float | None = None,
        ge: float | None = None,
        lt: float | None = None,
        le: float | None = None,
    ) -> BitMap:
        """Rows with a number within bounds; None is no bound."""
        rows, numbers = self._ascending
        low = -np.inf if ge is None else ge
        high = np.inf if le is None else le
        low = low if gt is None else np.nextafter(gt, np.inf)
        high = high if lt is None else np.nextafter(lt, -np.inf)
        start = int(np.searchsorted(numbers, low, side="left"))
        stop = int(np.searchsorted(numbers, high, side="right"))
        if (stop - start) * _FEW < len(self.numbers):
            return bitmap_of_rows(np.sort(rows[start:stop]))
        return bitmap_of_mask((self.numbers >= low) & (self.numbers <= high))

    def among(self, values: Iterable[float]) -> BitMap:
        """Rows whose number is among ``values``."""
        rows, numbers = self._ascending
        wanted = np.unique(np.fromiter(values, np.float64))
        starts = np.searchsorted(numbers, wanted, side="left")
        stops = np.searchsorted(numbers, wanted, side="right")
        slices = [rows[start:stop] for start, stop in zip(starts, stops)]
        return bitmap_of_unsorted(np.concatenate(slices), len(self.numbers))

    def examples(self, n: int) -> tuple[Value, ...]:
        """The smallest and the largest number."""
        numbers = self._ascending[1]
        return tuple(numbers[[0, -1]].tolist()) if len(numbers) else ()


FilterColumn: TypeAlias = CodedColumn | TextsColumn | NumberColumn


def build_column(
    values: pa.ChunkedArray, name: str, kind: FilterType, separator: str
) -> FilterColumn:
    """The column ``name`` of a catalogue, read with a type."""
    raw = RawColumn(values, f"the catalogue: column '{name}'", "missing")
    return _BUILDERS[kind](raw, separator)


def bitmap_of_unsorted(rows: Rows, size: int) -> BitMap:
    """A bitmap of rows in any order, repeated ones included."""
    if len(rows) * _FEW < size:
        return bitmap_of_rows(np.sort(rows))
    mask = np.zeros(size, np.bool_)
    mask[rows] = True
    return bitmap_of_mask(mask)


def _texts(raw: RawColumn) -> pa.ChunkedArray:
    """Trimmed texts; blank ones are null."""
    texts = pc.utf8_trim_whitespace(raw.categories())
    return pc.if_else(pc.equal(texts, ""), None, texts)


def _text_column(raw: RawColumn, separator: str) -> CodedColumn:
    codes, values = factorize(_texts(raw))
    return CodedColumn(codes.astype(np.int32), values)


def _texts_column(raw: RawColumn, separator: str) -> TextsColumn:
    cells = _texts(raw)
    lists = pc.split_pattern(cells, separator).combine_chunks()
    parts = pc.utf8_trim_whitespace(pc.list_flatten(lists))
    parents = pc.list_parent_indices(lists)
    filled = pc.not_equal(parts, "")
    rows = parents.filter(filled).to_numpy().astype(np.int64)
    codes, values = factorize(pa.chunked_array([parts.filter(filled)]))
    return TextsColumn(values, ValueGroups.of(codes, rows, n_codes=len(values), size=len(cells)))


def _number_column(raw: RawColumn, separator: str) -> NumberColumn:
    numbers = raw.numbers().to_numpy().astype(np.float64)
    return NumberColumn(np.where(np.isfinite(numbers), numbers, np.nan))


def _boolean_column(raw: RawColumn, separator: str) -> CodedColumn:
    flags = pc.cast(raw.booleans(), pa.int32())
    return CodedColumn(pc.fill_null(flags, -1).to_numpy().astype(np.int32), (False, True))


def _time_column(raw: RawColumn, separator: str) -> NumberColumn:
    return NumberColumn(pc.cast(raw.seconds(TimeFormat()), pa.float64()).to_numpy())


_BUILDERS: Mapping[FilterType, Callable[[RawColumn, str], FilterColumn]] = {
    "text": _text_column,
    "texts": _texts_column,
    "number": _number_column,
    "boolean": _boolean_column,
    "time": _time_column,
}


def _known_codes(code_of: Mapping[Any, int], values: Iterable[Value]) -> list[int]:
    return sorted({code_of[value] for value in values if value in code_of})


def _most_frequent(groups: ValueGroups, values: Sequence[Value], n: int) -> tuple[Value, ...]:
    counts = groups.counts
    best = np.argsort(-counts, kind="stable")[:n]
    return tuple(values[code] for code in best.tolist() if counts[code])
