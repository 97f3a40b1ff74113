"""Whether quotation marks enclose values, or are ordinary characters.

A mark at the start of a value opens it, and the value ends at the mark that closes it, on the same
line or a later one. A stray mark in a file that does not quote would therefore swallow rows.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import DataError
from recsys.formats.delimited.opening import TextFile

_BLOCK = 1 << 23
_MIN_COLUMNS = 3
"""Number of columns from which a line with as many separators is taken for a row."""


@dataclass
class QuoteScan:
    """What the lines with quotation marks look like.

    Attributes:
        marks: Whether there is any quotation mark.
        enclosing: Whether a value of a line with paired marks begins with one.
        fixed_width: Whether all of these lines have as many separators as the header.
        open_line: Number of the first line (from 1) whose marks do not pair; 0 for none.
        open_rows: Whether every line whose marks do not pair is a row by its separators.
        escaped: Whether they pair where a backslash escapes a mark.
    """

    marks: bool = False
    enclosing: bool = False
    fixed_width: bool = True
    open_line: int = 0
    open_rows: bool = True
    escaped: bool = True


def blocks(text: TextFile, separator: str, names: list[str]) -> Iterator[tuple[int, bytes]]:
    """The number of the first line, from 1, and the bytes of whole lines.

    Raises:
        DataError: Bytes are not UTF-8; the message names line, column and key.
    """
    rest, line = b"", 1
    with text.open() as stream:
        while True:
            read = bytes(stream.read(_BLOCK))
            block, newline, tail = (rest + read).rpartition(b"\n")
            if not read:
                block, newline, tail = rest, b"", b""
            try:
                (block + newline).decode("utf-8")
            except UnicodeDecodeError as error:
                raise _not_utf8(text, block, error.start, line, separator, names) from None
            if block:
                yield line, block
            if not read:
                return
            line += block.count(b"\n") + len(newline)
            rest = tail


def scan_quotes(text: TextFile, separator: str, quote: str, names: list[str]) -> QuoteScan:
    """Examine the lines with quotation marks, and that the file is UTF-8."""
    found, width = QuoteScan(), len(names)
    mark, gap = re.escape(quote), re.escape(separator)
    plain = f"[^{mark}{gap}][^{gap}]*"
    paired = f"{mark}(?:[^{mark}]|{mark}{mark})*{mark}|{plain}|"
    escaped = f"{mark}(?:[^{mark}\\\\]|\\\\.|{mark}{mark})*{mark}|{plain}|"
    for first, block in blocks(text, separator, names):
        if not quote:
            continue
        if quote.encode() not in block:
            continue
        found.marks = True
        lines = pc.list_flatten(pc.split_pattern(pa.array([block], pa.large_string()), "\n"))
        lines = pc.utf8_rtrim(lines, "\r")
        has_mark = pc.match_substring(lines, quote)
        numbers = pc.indices_nonzero(has_mark).to_numpy() + first
        lines = lines.filter(has_mark)
        is_paired = pc.match_substring_regex(lines, f"(?s)^(?:{paired})(?:{gap}(?:{paired}))*$")
        closed, opened = lines.filter(is_paired), lines.filter(pc.invert(is_paired))
        found.enclosing |= _any(pc.match_substring_regex(closed, f"(?:^|{gap}){mark}"))
        found.fixed_width &= _have_width(closed, separator, width)
        if len(opened):
            open_lines = numbers[~is_paired.to_numpy(zero_copy_only=False)]
            found.open_line = found.open_line or int(open_lines[0])
            found.open_rows &= _have_width(opened, separator, width)
            whole = f"(?s)^(?:{escaped})(?:{gap}(?:{escaped}))*$"
            found.escaped &= not _any(pc.invert(pc.match_substring_regex(opened, whole)))
    return found


def check_records(
    text: TextFile, separator: str, quote: str, width: int, *, escape: str | None, lenient: bool
) -> None:
    """Check the pairs of quotation marks in a file whose quoted values contain line breaks.

    Args:
        width: Number of columns.
        lenient: Whether only a value without an end is refused, since quoting is configured.

    Raises:
        DataError: Marks do not pair, or a quoted value contains lines that look like rows.
    """
    with text.open() as stream:
        lines = _Lines(io.TextIOWrapper(io.BufferedReader(stream), "utf-8", newline=""))
        reader = csv.reader(
            lines, delimiter=separator, quotechar=quote, escapechar=escape, strict=True
        )
        while True:
            lines.record.clear()
            first = reader.line_num + 1
            try:
                if next(reader, None) is None:
                    return
            except csv.Error as error:
                if lenient and "unexpected end" not in str(error):
                    return
                raise DataError(
                    f"{text.name}, line {first}: a quotation mark opens a value and no other mark"
                    f" closes it ({error}); correct the line, or set quote = '' where quotation"
                    " marks are ordinary characters"
                ) from None
            if not lenient and _swallows(lines.record, separator, width):
                raise DataError(
                    f"{text.name}, line {first}: a quoted value continues over {len(lines.record)}"
                    " lines that look like rows; set quote = '' where quotation marks are ordinary"
                    f" characters, or quote = '{quote}' where the value is right, or correct the"
                    " line"
                )


class _Lines:
    """Lines of a stream, with those of the current record."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream
        self.record: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._stream:
            self.record.append(line)
            yield line


def _swallows(record: list[str], separator: str, width: int) -> bool:
    """Whether every line of a record of several lines has the separators of a row."""
    if len(record) < (2 if width >= _MIN_COLUMNS or separator == "\t" else 4):
        return False
    return all(line.count(separator) == width - 1 for line in record)


def _have_width(lines: pa.Array, separator: str, width: int) -> bool:
    return not _any(pc.not_equal(pc.count_substring(lines, separator), width - 1))


def _any(mask: pa.Array) -> bool:
    return bool(pc.any(mask, min_count=0).as_py())


def _not_utf8(
    text: TextFile, block: bytes, at: int, first: int, separator: str, names: list[str]
) -> DataError:
    number = first + block.count(b"\n", 0, at)
    start = block.rfind(b"\n", 0, at) + 1
    end = block.find(b"\n", at)
    line = block[start : end if end >= 0 else len(block)].rstrip(b"\r")
    position = block.count(separator.encode(), start, at)
    column = f", column '{names[position]}'" if number > 1 and position < len(names) else ""
    return DataError(
        f"{text.name}, line {number}{column}: the text is not UTF-8: {line[:80]!r}; set encoding to"
        f" that of the file; encoding = 'cp1252' (Western Europe) would read"
        f" {line[:80].decode('cp1252', 'replace')!r}"
    )
