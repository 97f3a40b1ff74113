"""Tables that a caller gives: DataFrames, Arrow tables, and paths of csv and parquet files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from recsys.engine.recognition import SAMPLE
from recsys.errors import DataError
from recsys.files import atomic_file
from recsys.formats.delimited import (
    NumberFormat,
    TextFile,
    detect_dialect,
    legacy_encoding,
    no_notes,
    number_format_of,
    read_head,
)
from recsys.tables import as_table

TableInput: TypeAlias = "pd.DataFrame | pa.Table | str | Path"
"""A table in memory, or the path of a csv or parquet file."""
_CSV, _COMPRESSED = (".csv", ".tsv", ".txt"), (".gz", ".bz2", ".zst")
_BLOCK = 1 << 23


@dataclass(frozen=True, eq=False)
class InputTable:
    """A table to recognise, and where its rows are.

    Attributes:
        name: Name of the table in messages.
        table: The whole table, or the first rows of a file.
        path: File of the table; None for a table in memory.
        options: Format of the file, with its separator and encoding.
    """

    name: str
    table: pa.Table
    path: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, data: TableInput, name: str) -> InputTable:
        """Read a table in memory, or the first rows of a file.

        Raises:
            DataError: It is empty, cannot be read, or a column mixes kinds of values.
        """
        if isinstance(data, str | Path):
            path = Path(data).expanduser()
            table, options = _head(path, name)
            found = cls(name, table, path.resolve(), options)
        else:
            found = cls(name, _in_memory(data, name))
        if not len(found.table):
            raise DataError(f"{name} holds no rows; at least one is needed")
        return found

    def source(self, columns: list[str], folder: Path) -> dict[str, Any]:
        """The source of a configuration; a table in memory is written into ``folder``.

        Only ``columns`` are written. Equal tables give equal files, so that their stages are
        reused.
        """
        if self.path is not None:
            return {**self.options, "path": str(self.path)}
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.parquet"
        with atomic_file(path) as part:
            pyarrow.parquet.write_table(self.table.select(columns), part, compression="zstd")
        return {"format": "parquet", "path": f"{folder.name}/{path.name}"}

    def holds_integers(self, column: str) -> bool:
        """Whether a column holds whole numbers; with gaps, pandas makes them floats."""
        kind = self.table.schema.field(column).type
        is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        return self.path is None and is_number and kind != pa.uint64()


def _in_memory(data: pd.DataFrame | pa.Table, name: str) -> pa.Table:
    if isinstance(data, pd.DataFrame):
        return _without_categories(_from_pandas(data, name))
    if isinstance(data, pa.Table):
        return _without_categories(as_table(data, name))
    if hasattr(data, "__arrow_c_stream__"):  # polars and others
        return _without_categories(pa.table(data))
    raise DataError(
        f"{name} must be a pandas DataFrame, an Arrow table, or the path of a csv or parquet file;"
        f" got {type(data).__name__}"
    )


def _from_pandas(frame: pd.DataFrame, name: str) -> pa.Table:
    """An Arrow table; a named index becomes a column, and a period its first moment."""
    named = [name for name in frame.index.names if name is not None and name not in frame.columns]
    if named:
        frame = frame.reset_index(level=named)
    columns = list(map(str, frame.columns))
    made = {}
    for position, column in enumerate(columns):
        values = frame.iloc[:, position].reset_index(drop=True)
        if isinstance(values.dtype, pd.PeriodDtype):
            values = values.dt.to_timestamp()
        try:
            made[column] = pa.Table.from_pandas(values.to_frame(), preserve_index=False).column(0)
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            kinds = sorted({type(value).__name__ for value in values})
            raise DataError(
                f"{name}: column '{column}' mixes kinds of values ({', '.join(kinds[:5])}); make it"
                f" one kind, as with frame['{column}'].astype(str), or leave the column out"
            ) from None
    twice = [column for column in columns if columns.count(column) > 1]
    if twice:
        raise DataError(f"{name}: column '{twice[0]}' is there twice; rename one of them")
    return pa.table(made)


def _without_categories(table: pa.Table) -> pa.Table:
    """The table with the values of categorical columns."""
    for position, column in enumerate(table.schema):
        if pa.types.is_dictionary(column.type):
            values = table.column(position).cast(column.type.value_type)
            table = table.set_column(position, column.name, values)
    return table


def _head(path: Path, name: str) -> tuple[pa.Table, dict[str, Any]]:
    """The first rows of a file with their types, and the options to read it."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = (
        suffixes[-2]
        if len(suffixes) > 1 and suffixes[-1] in _COMPRESSED
        else "".join(suffixes[-1:])
    )
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not path.exists() or not files:
        raise DataError(f"{name}: there is no csv or parquet file at {path}")
    try:
        if path.is_dir() or kind == ".parquet":
            return _parquet_head(files[0]), {"format": "parquet"}
        if kind in _CSV:
            return _csv_head(path)
    except (OSError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())[:300]
        raise DataError(f"{name}: {path} cannot be read: {reason}") from error
    raise DataError(
        f"{name}: {path.name} is neither csv ({', '.join(_CSV)}, also compressed) nor parquet; "
        "name other formats in a configuration (docs/reference/data-formats.md)"
    )


def _parquet_head(path: Path) -> pa.Table:
    file = pyarrow.parquet.ParquetFile(path)
    batches = list(file.iter_batches(SAMPLE))[:1]
    return _without_categories(pa.Table.from_batches(batches, schema=file.schema_arrow))


def _csv_head(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """The first rows, and the keys of the dialect that differ from the default."""
    encoding = legacy_encoding(TextFile.of(path, str(path)))
    text = TextFile.of(path, str(path), encoding)
    dialect = detect_dialect(text, notes=no_notes)
    table, written = _standard_numbers(read_head(text, dialect, _BLOCK))
    options: dict[str, Any] = {"format": "csv"}
    if dialect.separator != ",":
        options["separator"] = dialect.separator
    if dialect.escape is not None:
        options["escape"] = dialect.escape
    if encoding is not None:
        options["encoding"] = encoding
    return table, options | written.keys()


def _standard_numbers(table: pa.Table) -> tuple[pa.Table, NumberFormat]:
    """The table with numbers such as "1.299,00" as floats, and their format in the file."""
    found = {
        column.name: number_format_of(table[column.name].slice(0, SAMPLE))
        for column in table.schema
        if pa.types.is_string(column.type)
    }
    formats = {each for each in found.values() if each is not None and not each.is_default}
    if not formats:
        return table, NumberFormat()
    written = max(formats, key=lambda each: (bool(each.thousands), each.decimal))
    for name, each in found.items():
        if each is not None and each.decimal == written.decimal:
            try:
                values = pc.cast(written.standard(table[name]), pa.float64())
            except pa.ArrowInvalid:
                continue
            table = table.set_column(table.column_names.index(name), name, values)
    return table, written
