"""Text tables to Arrow: every value is text as written, and an empty one is null."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv

from recsys.errors import DataError
from recsys.formats.delimited.dialect import SEPARATORS, Dialect, detect_dialect
from recsys.formats.delimited.opening import TextFile
from recsys.tables import require_columns


def no_notes(line: str) -> None:
    """A callback that ignores detected properties."""


def read_csv(
    file: Path | IO[bytes],
    *,
    name: str,
    columns: Sequence[str] | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    header: Sequence[str] = (),
    quote: str | None = None,
    escape: str | None = None,
    notes: Callable[[str], None] = no_notes,
) -> pa.Table:
    """A text table; every column is a string, and an empty value is null.

    Args:
        name: Name of the file in messages.
        columns: Columns to read; None for all that have a name.
        separator: Character between values; None to detect it.
        encoding: Encoding; None for that of the byte order mark, else UTF-8.
        header: Columns of a file without a header line.
        quote: Quotation mark; "" where marks are ordinary characters, None to detect it.
        escape: Character before an escaped quotation mark; None to detect it.
        notes: Callback that receives one line per detected property.

    Raises:
        DataError: The file is missing, damaged, or not as configured.
    """
    text = TextFile.of(file, name, encoding)
    dialect = detect_dialect(
        text,
        separator=separator,
        quote=quote,
        escape=escape,
        header=header,
        wanted=columns or (),
        notes=notes,
    )
    names = [each for each in dialect.names if each]
    twice = [column for column in names if names.count(column) > 1]
    if twice:
        raise DataError(f"{name}: column '{twice[0]}' is there twice; rename one of them")
    _require(columns or [], names, text, separator)
    return _read(text, dialect, list(columns) if columns is not None else names)


def read_head(text: TextFile, dialect: Dialect, size: int) -> pa.Table:
    """Rows in the first ``size`` bytes, with the types that their values have in common."""
    options = pyarrow.csv.ReadOptions(
        block_size=size, column_names=_column_names(dialect), skip_rows=dialect.skip
    )
    wanted = pyarrow.csv.ConvertOptions(include_columns=[each for each in dialect.names if each])
    with (
        text.open() as stream,
        pyarrow.csv.open_csv(stream, options, _parse_options(dialect), wanted) as reader,
    ):
        first = next(iter(reader), None)  # None for a file without rows
        return pa.Table.from_batches([] if first is None else [first], schema=reader.schema)


def _column_names(dialect: Dialect) -> list[str]:
    return [each or f"\0{position}" for position, each in enumerate(dialect.names)]


def _parse_options(
    dialect: Dialect, invalid: Callable[[Any], str] = lambda row: "skip"
) -> pyarrow.csv.ParseOptions:
    return pyarrow.csv.ParseOptions(
        delimiter=dialect.separator,
        quote_char=dialect.quote or False,
        escape_char=dialect.escape or False,
        newlines_in_values=bool(dialect.quote),
        invalid_row_handler=invalid,
    )


def _require(
    columns: Sequence[str], names: list[str], text: TextFile, separator: str | None
) -> None:
    """Check the wanted columns, and whether another separator would find them."""
    if separator is not None and any(column not in names for column in columns):
        for other in SEPARATORS:
            if set(columns) <= set(names[0].split(other)) and len(names) == 1:
                raise DataError(
                    f"{text.name}: no column '{columns[0]}' between separators {separator!r}; set"
                    f" separator = {other!r}, by which its header is separated"
                )
    require_columns(columns, names, text.name)


def _read(text: TextFile, dialect: Dialect, columns: list[str]) -> pa.Table:
    broken: list[Any] = []

    def keep_first(row: Any) -> str:
        broken.append(row)
        return "skip"

    names = _column_names(dialect)
    try:
        with text.open() as stream:
            table = pyarrow.csv.read_csv(
                stream,
                read_options=pyarrow.csv.ReadOptions(
                    use_threads=False,  # rows have no numbers otherwise
                    column_names=names,
                    skip_rows=dialect.skip,
                ),
                parse_options=_parse_options(dialect, keep_first),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types={column: pa.string() for column in names},
                    include_columns=columns,
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                    null_values=[""],
                ),
            )
    except (OSError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())[:300]
        raise DataError(f"{text.name} cannot be read: {reason}") from error
    if broken:
        row = broken[0]
        at = "a row" if row.number is None else f"row {row.number - dialect.skip}"
        remedy = (
            f"quote values that contain '{dialect.separator}' or a line break"
            if dialect.quote
            else f"quote values that contain '{dialect.separator}', or set separator"
        )
        raise DataError(
            f"{text.name}: {at} has {row.actual_columns} values, the header"
            f" {row.expected_columns}: {row.text[:80]!r}; {remedy}"
        )
    return table
