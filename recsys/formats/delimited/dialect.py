"""The dialect of a text table: separator, quotation marks and columns, configured or detected."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recsys.errors import DataError
from recsys.formats.delimited.opening import TextFile
from recsys.formats.delimited.quotes import check_records, scan_quotes

SEPARATORS = (",", "\t", ";", "|")
"""Separators that are detected, the most common first."""
QUOTE = '"'
_SAMPLE = 50
"""Number of lines that the separator is chosen from."""
_SEP_LINE = re.compile(r'^"?sep=(.)"?\r?\n?$')


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Attributes:
        separator: Character between values.
        quote: Quotation mark that encloses values; "" where marks are ordinary characters.
        escape: Character before an escaped quotation mark; None where it is doubled.
        names: Columns; "" for one without a name, whose values are not read.
        skip: Number of lines before the first row.
    """

    separator: str
    quote: str
    escape: str | None
    names: tuple[str, ...]
    skip: int


def detect_dialect(
    text: TextFile,
    *,
    separator: str | None = None,
    quote: str | None = None,
    escape: str | None = None,
    header: Sequence[str] = (),
    wanted: Sequence[str] = (),
    notes: Callable[[str], None],
) -> Dialect:
    """Detect what is None, and report what is not the default.

    Args:
        header: Columns of a file without a header line.
        wanted: Columns to be read, by which separators are preferred.
        notes: Callback that receives one line per detected property.

    Raises:
        DataError: The file is empty or not UTF-8, or its quotation marks do not pair.
    """
    lines = _first_lines(text)
    skip = 0
    stated = _SEP_LINE.match(lines[0]) if lines else None
    if stated is not None:  # a line that Excel reads
        separator, skip = separator or stated[1], 1
    if not any(line.strip() for line in lines[skip:]):
        raise DataError(f"{text.name} is empty; expected a header line and rows")
    chosen = separator or _separator(lines[skip:], header, wanted)
    mark = QUOTE if quote is None else quote
    names, used = _names(lines[skip:], chosen, mark, header)
    escape = _check_quotes(text, chosen, mark, names, quote, escape, notes)
    if escape == "":
        mark, escape = "", None
        names, used = _names(lines[skip:], chosen, "", header)
    _report(text, chosen, separator, names, notes)
    return Dialect(chosen, mark, escape, tuple(names), skip + used)


def _check_quotes(
    text: TextFile,
    separator: str,
    mark: str,
    names: list[str],
    quote: str | None,
    escape: str | None,
    notes: Callable[[str], None],
) -> str | None:
    """The character that escapes quotation marks, None for none; "" where nothing is quoted."""
    scan = scan_quotes(text, separator, mark, names)
    if not scan.marks:
        return ""
    if not scan.open_line:
        return escape if scan.enclosing or quote else ""
    if escape is None and scan.escaped:
        notes(f"{text.name}: a backslash escapes quotation marks (escape = '\\')")
        return "\\"
    width, configured = len(names), quote is not None
    try:
        check_records(text, separator, mark, width, escape=escape, lenient=configured)
    except DataError:
        encloses = scan.enclosing and not (separator == "\t" and scan.fixed_width)
        if configured or encloses or not scan.open_rows:
            raise
        notes(
            f"{text.name}: quotation marks are read as ordinary characters, since those of line"
            f" {scan.open_line:,} do not enclose a value (quote = '')"
        )
        return ""
    return escape


def _report(
    text: TextFile,
    chosen: str,
    configured: str | None,
    names: list[str],
    notes: Callable[[str], None],
) -> None:
    if text.compression is not None:
        notes(f"{text.name} is compressed ({text.compression})")
    if text.marked and text.encoding != "utf-8-sig":
        notes(f"{text.name}: encoding = '{text.encoding}', by its byte order mark")
    if configured is None and chosen != ",":
        shown = "\\t" if chosen == "\t" else chosen
        notes(f"{text.name}: separator = '{shown}'")
    unnamed = names.count("")
    if unnamed:
        notes(f"{text.name}: {unnamed} columns without a name are not read")


def _first_lines(text: TextFile) -> list[str]:
    with text.open() as stream:
        sample = bytes(stream.read(1 << 18))
    whole = sample.rpartition(b"\n")[0] or sample
    lines = io.StringIO(whole.decode("utf-8", "replace"), newline="")
    return list(itertools.islice(lines, _SAMPLE))


def _separator(lines: list[str], header: Sequence[str], wanted: Sequence[str]) -> str:
    """The separator that finds most wanted columns, then that of most columns of equal number."""

    def fit(separator: str) -> tuple[int, int, int]:
        rows = _rows(lines, separator, QUOTE)
        names = list(header) or rows[0]
        equal = sum(len(row) == len(rows[0]) for row in rows)
        found = sum(name in names for name in wanted) if not header else len(rows[0]) == len(names)
        return found, equal if len(rows[0]) > 1 else 0, len(rows[0])

    return max(SEPARATORS, key=fit)


def _names(
    lines: list[str], separator: str, quote: str, header: Sequence[str]
) -> tuple[list[str], int]:
    """Names of the columns, and the number of lines before the first row.

    Separators at the end of the header, or of the first row, are columns without a name.
    """
    rows = _rows(lines, separator, quote)
    if header:
        names, first, used = list(header), rows[0], 0
    else:
        names, first = rows[0], rows[1] if len(rows) > 1 else rows[0]
        used = _numbered(lines, separator, quote)[0][0]
    named = max((position for position, name in enumerate(names, 1) if name.strip()), default=0)
    names = [name if name.strip() else "" for name in names]
    if len(first) > len(names) and not any(first[len(names) :]):
        names += [""] * (len(first) - len(names))
    elif named <= len(first) < len(names):
        names = names[: len(first)]
    return names, used


def _rows(lines: list[str], separator: str, quote: str) -> list[list[str]]:
    return [row for _, row in _numbered(lines, separator, quote)]


def _numbered(lines: list[str], separator: str, quote: str) -> list[tuple[int, list[str]]]:
    """Rows with values, and the number of the last line of each."""
    reader = csv.reader(
        lines,
        delimiter=separator,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
    )
    return [(reader.line_num, row) for row in reader if row]
