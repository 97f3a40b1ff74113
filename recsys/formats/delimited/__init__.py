"""Delimited text: compression, encoding, separator and quotation marks, configured or detected."""

from __future__ import annotations

from recsys.formats.delimited.dialect import Dialect, detect_dialect
from recsys.formats.delimited.numbers import NumberFormat, number_format_of, number_remedy
from recsys.formats.delimited.opening import TextFile, legacy_encoding
from recsys.formats.delimited.reader import no_notes, read_csv, read_head

__all__ = [
    "Dialect",
    "NumberFormat",
    "TextFile",
    "detect_dialect",
    "legacy_encoding",
    "no_notes",
    "number_format_of",
    "number_remedy",
    "read_csv",
    "read_head",
]
