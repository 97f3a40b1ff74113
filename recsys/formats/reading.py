"""Reads a source into an Arrow table of interactions or items with the engine's column names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from recsys.errors import DataError
from recsys.formats import lightgcn, movielens, recbole, smart, sources
from recsys.formats.columns import Notes, RawColumn, Unreadable, interactions_table, treated
from recsys.formats.delimited import NumberFormat, read_csv
from recsys.formats.delimited.reader import no_notes
from recsys.formats.publisher import Download, resolve
from recsys.formats.sources import InteractionColumns, InteractionSource, ItemSource
from recsys.formats.tables import read_parquet
from recsys.interactions import ITEM, POSITION, USER
from recsys.progress import Progress, silent
from recsys.tables import factorize, is_text, require_columns

_TableFile = (
    sources.ParquetInteractions | sources.CsvInteractions | sources.ParquetItems | sources.CsvItems
)


def read_interactions(
    source: InteractionSource,
    *,
    base: Path | None = None,
    unreadable: Unreadable = "raise",
    download: Download = "missing",
    progress: Progress = silent,
    notes: Notes = no_notes,
) -> pa.Table:
    """Read interactions with all rows of the source.

    Args:
        base: Folder of relative paths; None for the current one.
        unreadable: Whether a value that cannot be read is an error, or null; an
            :class:`recsys.formats.columns.UnreadValues` collects such values for the report.
        notes: Callback that receives one line per detected property of a file.

    Returns:
        Columns user_id and item_id (text), and, where the source has them, timestamp (int64
        seconds since 1970 UTC) or position (int64), weight (float64), event, terms, and context
        columns (text).

    Raises:
        DataError: A file, column or value is not as expected; the message names it.
        NotFoundError: The path names a data set that is not known or missing.
        DownloadError: The data set could not be downloaded.

    Example:
        >>> import tempfile; path = Path(tempfile.mkdtemp()) / "log.csv"
        >>> _ = path.write_text("user_id,item_id,at\\n007,lamp,2024-01-01\\n")
        >>> columns = InteractionColumns(timestamp="at")
        >>> read_interactions(sources.CsvInteractions(path=str(path), columns=columns)).to_pylist()
        [{'user_id': '007', 'item_id': 'lamp', 'timestamp': 1704067200}]
    """

    def found(path: str) -> Path:
        return resolve(path, base, download=download, progress=progress)

    if isinstance(source, sources.LightGcnInteractions):
        return lightgcn.read_lines({part: found(path) for part, path in source.files.items()})
    path = found(source.path)
    if isinstance(source, sources.MovieLensInteractions):
        return movielens.read_ratings(path, context=source.context, unreadable=unreadable)
    if isinstance(source, sources.RecBoleInteractions):
        return recbole.read_inter(source, path, unreadable=unreadable)
    if isinstance(source, sources.SequenceInteractions):
        return _sequences(source, path, unreadable, notes)
    columns = source.columns
    table = _table(source, path, list(dict.fromkeys(columns.named().values())), notes)
    if isinstance(source, sources.CsvInteractions):
        columns = source.dated_columns()
    table = _with_standard_numbers(table, source, (columns.weight, columns.position))
    return interactions_table(table, columns, name=str(path), unreadable=unreadable, notes=notes)


def read_items(
    source: ItemSource,
    base: Path | None = None,
    numbers: Sequence[str] = (),
    *,
    unreadable: Unreadable = "raise",
    download: Download = "missing",
    progress: Progress = silent,
    notes: Notes = no_notes,
) -> pa.Table:
    """Read items with all rows of the source; other arguments are those of
    :func:`read_interactions`.

    Args:
        numbers: Columns of numbers, to which ``decimal`` and ``thousands`` apply.

    Returns:
        Column item_id (text), then the others: text from text files, the file's types from parquet.
    """
    path = resolve(source.path, base, download=download, progress=progress)
    if isinstance(source, sources.MovieLensItems):
        return movielens.read_movies(path)
    if isinstance(source, sources.SmartItems):
        return smart.read_documents(path)
    if isinstance(source, sources.RecBoleItems):
        return recbole.read_item(source, path)
    wanted = [source.item, *source.columns] if source.columns else None
    table = _table(source, path, wanted, notes)
    if isinstance(source, sources.NumberMarks):
        table = _with_standard_numbers(table, source, numbers)
    require_columns([source.item], table.column_names, str(path))
    if source.item != ITEM and ITEM in table.column_names:
        raise DataError(
            f"{path}: the items are named by '{source.item}', but there is a column '{ITEM}' too; "
            "list the columns to read without it"
        )
    name = f"{path}: column '{source.item}'"
    ids = RawColumn(table.column(source.item), name, treated(unreadable, ITEM)).ids()
    return table.drop_columns([source.item]).add_column(0, ITEM, ids)


def _table(source: _TableFile, path: Path, columns: list[str] | None, notes: Notes) -> pa.Table:
    if isinstance(source, sources.ParquetInteractions | sources.ParquetItems):
        return read_parquet(path, columns=columns)
    return read_csv(
        path,
        name=str(path),
        columns=columns,
        separator=source.separator,
        encoding=source.encoding,
        header=source.names,
        quote=source.quote,
        escape=source.escape,
        notes=notes,
    )


def _with_standard_numbers(
    table: pa.Table,
    source: sources.NumberMarks,
    columns: Iterable[str | None],
) -> pa.Table:
    """The table with numbers in columns of text as programs write them."""
    written = NumberFormat(source.decimal, source.thousands)
    for column in columns:
        if column not in table.column_names:
            continue
        values = table.column(column)
        kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
        if is_text(kind):
            position = table.column_names.index(column)
            table = table.set_column(position, column, written.standard(values))
    return table


def _sequences(
    source: sources.SequenceInteractions, path: Path, unreadable: Unreadable, notes: Notes
) -> pa.Table:
    columns = InteractionColumns(user=source.user, item=source.item, position=source.position)
    wanted = list(columns.named().values())
    is_parquet = path.is_dir() or path.suffix == ".parquet"
    raw = (
        read_parquet(path, columns=wanted)
        if is_parquet
        else read_csv(path, name=str(path), columns=wanted, notes=notes)
    )
    table = interactions_table(raw, columns, name=str(path), unreadable=unreadable)
    users, positions = factorize(table.column(USER))[0], table.column(POSITION)
    keys = pd.DataFrame({USER: users, POSITION: positions.to_pandas()}, index=np.arange(len(users)))
    twice = keys[(users >= 0) & positions.is_valid().to_numpy()].duplicated()
    if twice.any():
        row = int(twice.index[twice][0])
        raise DataError(
            f"{path}: column '{source.position}', row {row + 1}: user "
            f"{table.column(USER)[row].as_py()!r} has position {positions[row].as_py()} twice; a "
            "sequence has one item at each position"
        )
    return table
