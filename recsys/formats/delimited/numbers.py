"""Numbers as people write them, such as "1.299,00", to the form of programs."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

_SPACES = " \u00a0\u202f"


@dataclass(frozen=True)
class NumberFormat:
    """Marks in the numbers of a text file.

    Attributes:
        decimal: Decimal mark.
        thousands: Mark between groups of three digits; "" for none, " " for every kind of space.

    Example:
        >>> prices = pa.chunked_array([["1.299,00", "5", "cheap"]])
        >>> NumberFormat(decimal=",", thousands=".").standard(prices).to_pylist()
        ['1299.00', '5', 'cheap']
    """

    decimal: str = "."
    thousands: str = ""

    @property
    def is_default(self) -> bool:
        """Whether numbers are written as in programs."""
        return self == NumberFormat()

    def standard(self, text: pa.ChunkedArray) -> pa.ChunkedArray:
        """Numbers with a decimal point and without groups; other text as written."""
        if self.is_default or not len(text):
            return text
        text = pc.cast(text, pa.large_string())
        plain = pc.utf8_trim_whitespace(text)
        fits = pc.match_substring_regex(plain, self.pattern)
        if self.thousands:
            plain = pc.replace_substring_regex(plain, self._group, "")
        plain = pc.replace_substring(plain, self.decimal, ".")
        return pc.if_else(fits, plain, text)

    @property
    def pattern(self) -> str:
        """Regular expression of a whole number in this format."""
        point = re.escape(self.decimal)
        grouped = rf"\d{{1,3}}(?:{self._group}\d{{3}})+|" if self.thousands else ""
        return rf"^[+-]?(?:{grouped}\d+|\d*)(?:{point}\d*)?(?:[eE][+-]?\d+)?$"

    @property
    def _group(self) -> str:
        return f"[{_SPACES if self.thousands == ' ' else re.escape(self.thousands)}]"

    def keys(self) -> dict[str, str]:
        """The keys of a configuration that differ from the default."""
        decimal = {} if self.decimal == "." else {"decimal": self.decimal}
        return decimal | ({"thousands": self.thousands} if self.thousands else {})


_FORMATS = (
    NumberFormat(),
    NumberFormat(","),
    NumberFormat(".", ","),
    NumberFormat(",", "."),
    NumberFormat(",", " "),
    NumberFormat(".", " "),
    NumberFormat(".", "'"),
)
"""Formats in use, the simplest first."""


def number_format_of(text: pa.ChunkedArray) -> NumberFormat | None:
    """The format in which every value is a number; None where there is none, or where several
    would read other numbers.

    Example:
        >>> number_format_of(pa.chunked_array([["19.99", "1,299.00"]]))
        NumberFormat(decimal='.', thousands=',')
        >>> number_format_of(pa.chunked_array([["1,299"]])) is None
        True
    """
    values = pc.utf8_trim_whitespace(pc.cast(text.drop_null(), pa.large_string())).unique()
    values = values.filter(pc.match_substring_regex(values, r"\d"))
    fitting = [
        each
        for each in _FORMATS
        if len(values) and pc.all(pc.match_substring_regex(values, each.pattern)).as_py()
    ]
    if not fitting or len({each.decimal for each in fitting}) > 1 and fitting[0] != _FORMATS[0]:
        return None
    return fitting[0]


def number_remedy(value: str) -> str:
    """The keys that read a text as a number; "" where there are none.

    Example:
        >>> number_remedy("1,299.00"), number_remedy("19,99"), number_remedy("cheap")
        ('set thousands = ","', 'set decimal = ","', '')
    """
    text = pa.chunked_array([[value.strip()]])
    if not re.search(r"\d", value):
        return ""
    ways: dict[str, str] = {}
    for each in _FORMATS[1:]:
        if pc.match_substring_regex(text, each.pattern)[0].as_py():
            keys = " and ".join(f'{key} = "{mark}"' for key, mark in each.keys().items())
            ways.setdefault(each.decimal, keys)
    return f"set {' or '.join(ways.values())}" if ways else ""
