"""Files to Arrow tables with the columns as written.

Everything in a csv file is text ("007" stays "007"), and an empty value is null; parquet keeps its
types.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from recsys.errors import DataError
from recsys.formats.parts import concatenated
from recsys.tables import plain_types, require_columns


def read_csv(
    file: Path | IO[bytes],
    *,
    name: str,
    columns: Sequence[str] | None = None,
    separator: str = ",",
    encoding: str = "utf-8",
    header: Sequence[str] = (),
    quote: str | None = '"',
) -> pa.Table:
    """A text table; every column is a string, and an empty value is null.

    ``name`` is the file's name in messages, ``header`` the columns of a file without a header line;
    without ``quote`` quotation marks are ordinary characters.
    """
    names = list(header) or _header(file, name, separator, encoding, quote)
    twice = [column for column in names if names.count(column) > 1]
    if twice:
        raise DataError(f"{name}: column '{twice[0]}' is there twice; rename one of them")
    require_columns(columns or [], names, name)
    broken: list[Any] = []

    def keep_first(row: Any) -> str:
        broken.append(row)
        return "skip"

    text = pa.string()
    try:
        table = pyarrow.csv.read_csv(
            file,
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False,  # rows have no numbers otherwise
                encoding=encoding,
                column_names=names if header else None,
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=separator,
                quote_char=quote or False,
                newlines_in_values=quote is not None,
                invalid_row_handler=keep_first,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={column: text for column in names},
                include_columns=list(columns) if columns is not None else names,
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except (OSError, pa.ArrowException, LookupError, UnicodeDecodeError) as error:
        raise _unreadable(name, error) from error
    if broken:
        row = broken[0]
        at = "a row" if row.number is None else f"row {row.number - (not header)}"
        raise DataError(
            f"{name}: {at} has {row.actual_columns} values, the header {row.expected_columns}: "
            f"{row.text[:80]!r}; quote values that contain '{separator}' or a line break"
        )
    return table


def read_parquet(path: Path, *, columns: Sequence[str] | None = None) -> pa.Table:
    """A parquet file, or a folder of parquet files, in the order of names.

    Types that differ between files are unified where no value changes.
    """
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise DataError(
            f"{path} holds no .parquet file; expected a parquet file or a folder of them"
        )
    try:
        for file in files:
            require_columns(columns or [], pyarrow.parquet.read_schema(file).names, str(file))
        chosen = None if columns is None else list(columns)
        parts = {
            str(file): plain_types(
                pyarrow.parquet.read_table(file, columns=chosen, partitioning=None)
            )
            for file in files
        }
        return concatenated(parts)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(str(path), error) from error


def encoding_of(content: bytes) -> str:
    """UTF-8 where ``content`` is valid, else Latin-1, the encoding of older MovieLens files."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _header(
    file: Path | IO[bytes], name: str, separator: str, encoding: str, quote: str | None
) -> list[str]:
    """The names in the first line; an open file is rewound."""
    options = pyarrow.csv.ParseOptions(
        delimiter=separator, quote_char=quote or False, invalid_row_handler=lambda row: "skip"
    )
    read = pyarrow.csv.ReadOptions(use_threads=False, encoding=encoding)
    try:
        source = file if isinstance(file, Path) else pa.PythonFile(file, mode="r")
        with pyarrow.csv.open_csv(source, read_options=read, parse_options=options) as reader:
            names = [str(column) for column in reader.schema.names]
        if not isinstance(file, Path):
            file.seek(0)
        return names
    except (OSError, pa.ArrowException, LookupError, UnicodeDecodeError) as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: Exception) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError(f"{name} is not there; check the path, or set RECSYS_DATA_HOME for data:")
    return DataError(f"{name} cannot be read: {' '.join(str(error).split())[:300]}")
