"""Training tables as parquet files, with ids instead of rows.

One line per item, the items of a request one after another: ``request`` (int64), ``time`` (int64),
``item_id``, ``taken`` (bool), ``weight``, ``grade`` where there are grades, one column
``feature.NAME`` per feature, and in the first line of each request ``history`` (a list of item ids,
oldest first) and ``terms`` (a list of search terms, oldest first).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.errors import DataError
from recsys.files import atomic_file
from recsys.ids import IdMap, Rows, Vectors
from recsys.ranking.bags import Bags
from recsys.ranking.learning.table import TrainingTable
from recsys.splits.held_out import offsets_of
from recsys.tables import require_columns

PREFIX = "feature."
_COLUMNS = ("request", "time", "item_id", "taken", "weight", "history", "terms")


def write_training_table(path: Path, table: TrainingTable, items: IdMap) -> None:
    """Write a training table.

    Raises:
        DataError: A row is not one of ``items``.
    """
    table.histories.check("histories", len(items))
    Bags.of([table.rows]).check("items", len(items))
    first = np.zeros(len(table), np.bool_)
    first[table.offsets[:-1][np.diff(table.offsets) > 0]] = True
    phrases = table.phrases or ((),) * table.requests
    owners = table.owners
    histories = [
        items.ids(table.histories.bag(at)) if begins else None
        for at, begins in zip(owners.tolist(), first.tolist())
    ]
    terms = [list(phrases[at]) if begins else None for at, begins in zip(owners.tolist(), first)]
    columns = {
        "request": pa.array(owners.astype(np.int64)),
        "time": pa.array(table.times[owners]),
        "item_id": pa.array(items.ids(table.rows), pa.string()),
        "taken": pa.array(table.taken),
        "weight": pa.array(table.weights),
        "history": pa.array(histories, pa.list_(pa.string())),
        "terms": pa.array(terms, pa.list_(pa.string())),
    }
    if table.grades is not None:
        columns["grade"] = pa.array(table.grades, from_pandas=True)
    for at, name in enumerate(table.names):
        columns[PREFIX + name] = pa.array(table.values[:, at])
    with atomic_file(path) as part:
        pq.write_table(pa.table(columns), part)


def read_training_table(
    path: Path, items: IdMap, *, unknown: Literal["raise", "skip"] = "raise"
) -> TrainingTable:
    """Read what :func:`write_training_table` wrote, or a table of the same columns.

    Args:
        path: Parquet file.
        items: Ids of the items.
        unknown: With "skip", unknown ids are left out, also of the histories.

    Raises:
        DataError: The file cannot be read, a column is missing or of another type, the items of a
            request are not one after another, or a value is missing or not finite.
        UnknownIdError: An id is unknown and ``unknown="raise"``.
    """
    try:
        read = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"cannot read the training table {path}: {error}") from error
    require_columns(_COLUMNS, read.column_names, str(path))
    for column in read.schema:
        _check_type(column, path)
    request = _numbers(read, "request", np.int64, path)
    begins = np.ones(len(request), np.bool_)
    begins[1:] = request[1:] != request[:-1]
    starts = np.flatnonzero(begins)
    if len(np.unique(request)) < len(starts):
        raise DataError(f"{path}: the items of a request must be one after another")
    names = tuple(name[len(PREFIX) :] for name in read.column_names if name.startswith(PREFIX))
    values = [_numbers(read, PREFIX + name, np.float32, path) for name in names]
    first = read.take(pa.array(starts))
    histories = [
        items.rows(ids or [], unknown=unknown) for ids in first.column("history").to_pylist()
    ]
    grades = _grades(read)
    phrases = tuple(tuple(each or ()) for each in first.column("terms").to_pylist())
    rows = _rows(read, items, unknown)
    kept = np.flatnonzero(rows >= 0)
    table = TrainingTable(
        names,
        np.stack(values, axis=1)[kept] if values else np.zeros((len(kept), 0), np.float32),
        rows[kept],
        offsets_of(np.bincount((np.cumsum(begins) - 1)[kept], minlength=len(starts))),
        _numbers(read, "taken", np.bool_, path)[kept],
        _numbers(read, "weight", np.float32, path)[kept],
        _numbers(read, "time", np.int64, path)[starts],
        Bags.of(histories),
        phrases if any(any(each) for each in phrases) else (),
        None if grades is None else grades[kept],
    )
    return table.at(np.flatnonzero(np.diff(table.offsets)))


def _check_type(column: pa.Field, path: Path) -> None:
    """Raise DataError for a column that numpy would convert to something else, or take apart."""
    kind, name = column.type, column.name
    if name in ("history", "terms"):
        expected = "a list of strings per line"
        fits = pa.types.is_null(kind) or (
            (pa.types.is_list(kind) or pa.types.is_large_list(kind))
            and (_is_text(kind.value_type) or pa.types.is_null(kind.value_type))
        )
    elif name == "item_id":
        expected, fits = "strings", _is_text(kind)
    elif name in (*_COLUMNS, "grade") or name.startswith(PREFIX):
        expected = "numbers"
        fits = pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)
    else:
        return
    if not fits:
        raise DataError(f"{path}: column '{name}' must hold {expected}; it holds {kind}")


def _is_text(kind: pa.DataType) -> bool:
    values = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(values) or pa.types.is_large_string(values))


def _rows(read: pa.Table, items: IdMap, unknown: Literal["raise", "skip"]) -> Rows:
    """The row of each item; -1 for one that is left out."""
    ids = read.column("item_id").to_pylist()
    return items.rows(ids) if unknown == "raise" else items.lookup(ids).astype(np.int32)


def _numbers(read: pa.Table, name: str, kind: type[np.generic], path: Path) -> npt.NDArray[Any]:
    column = read.column(name)
    try:
        values = np.asarray(column.to_numpy()).astype(kind)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: column '{name}' must hold numbers: {error}") from error
    if column.null_count or not np.isfinite(values).all():
        raise DataError(f"{path}: column '{name}' holds values that are missing or not finite")
    return values


def _grades(read: pa.Table) -> Vectors | None:
    if "grade" not in read.column_names:
        return None
    return np.asarray(read.column("grade").to_pandas(), np.float32)
