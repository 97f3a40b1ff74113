"""Parquet files to Arrow tables with the columns and types as written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from recsys.errors import DataError
from recsys.formats.parts import concatenated
from recsys.tables import plain_types, require_columns

_MAGIC = b"PAR1"


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
            _check_kind(file)
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


def _check_kind(file: Path) -> None:
    """Refuse a file that is not parquet, or was not written to its end."""
    with file.open("rb") as stream:
        start = stream.read(len(_MAGIC))
        end = stream.seek(0, 2)
        stream.seek(max(0, end - len(_MAGIC)))
        last = stream.read()
    if start != _MAGIC:
        raise DataError(
            f"{file} cannot be read: it is not a parquet file; set format = 'csv' if it is text"
        )
    if last != _MAGIC or end < 3 * len(_MAGIC):
        raise DataError(f"{file} cannot be read: it is cut short; copy or write it again")


def encoding_of(content: bytes) -> str:
    """UTF-8 where ``content`` is valid, else Latin-1, the encoding of older MovieLens files."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _unreadable(name: str, error: Exception) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError(f"{name} is not there; check the path, or set RECSYS_DATA_HOME for data:")
    return DataError(f"{name} cannot be read: {' '.join(str(error).split())[:300]}")
