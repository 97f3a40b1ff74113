"""Delimited text: compression, encoding, separator and quotation marks, configured or detected."""

from __future__ import annotations

from recsys.formats.delimited.dialect import Dialect, detect_dialect
from recsys.formats.delimited.numbers import NumberFormat, number_format_of, number_remedy
from recsys.formats.delimited.opening import TextFile
from recsys.formats.delimited.reader import read_csv

__all__ = [
    "Dialect",
    "NumberFormat",
    "TextFile",
    "detect_dialect",
    "number_format_of",
    "number_remedy",
    "read_csv",
]
