"""Vectors with their ids as a parquet table, to use embeddings of one run in another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from recsys.errors import DataError
from recsys.formats.columns import RawColumn
from recsys.formats.tables import read_parquet
from recsys.ids import Mask, Vectors
from recsys.interactions import USER
from recsys.tables import factorize

VECTOR = "vector"
"""Name of the column of vectors."""


@dataclass(frozen=True, eq=False)
class NamedVectors:
    """Vectors of n distinct ids.

    Attributes:
        ids: Ids, non-empty strings.
        vectors: Vectors, float32 ``[n, d]``, finite.

    Example:
        >>> named = NamedVectors(("ann",), np.ones((1, 2), np.float32))
        >>> named.vectors.shape
        (1, 2)
    """

    ids: tuple[str, ...]
    vectors: Vectors


def write_vectors(path: Path, named: NamedVectors, *, ids: str = USER) -> None:
    """Write a parquet file with the columns ``ids`` (text) and ``vector`` (list of float32)."""
    size, dimension = named.vectors.shape
    offsets = pa.array(np.arange(size + 1, dtype=np.int64) * dimension)
    values = pa.array(np.ascontiguousarray(named.vectors).reshape(-1))
    lists = pa.LargeListArray.from_arrays(offsets, values).cast(pa.list_(pa.float32()))
    table = pa.table({ids: pa.array(named.ids, pa.string()), VECTOR: lists})
    pyarrow.parquet.write_table(table, path, compression="zstd")


def read_vectors(path: Path, *, ids: str = USER) -> NamedVectors:
    """Read a parquet table as :func:`write_vectors` writes it.

    Args:
        path: A parquet file, or a folder of them.
        ids: Column of ids: text, or whole numbers, which become their digits.

    Raises:
        DataError: A file or column is missing or of another type, there is no row, an id is
            missing or there twice, vectors differ in length, or a number is missing or not finite;
            the message has the row (from 1).

    Example:
        >>> import tempfile; path = Path(tempfile.mkdtemp()) / "users.parquet"
        >>> write_vectors(path, NamedVectors(("ann", "bob"), np.eye(2, dtype=np.float32)))
        >>> read_vectors(path).ids
        ('ann', 'bob')
    """
    table = read_parquet(path, columns=[ids, VECTOR])
    if not len(table):
        raise DataError(f"{path} holds no vector; expected a row for each {ids}")
    names = RawColumn(table.column(ids), f"{path}: column '{ids}'").ids()
    _refuse(names.is_null().to_numpy(), f"{path}: column '{ids}'", "has no id")
    codes, _ = factorize(names)
    twice = pd.Series(codes).duplicated().to_numpy()
    if twice.any():
        row = int(np.argmax(twice))
        raise DataError(
            f"{path}: column '{ids}', row {row + 1}: {names[row].as_py()!r:.80} has a vector "
            f"already, in row {int(np.argmax(codes == codes[row])) + 1}; leave one of them out"
        )
    vectors = _matrix(table.column(VECTOR), f"{path}: column '{VECTOR}'")
    return NamedVectors(tuple(names.to_pylist()), vectors)


def _matrix(column: pa.ChunkedArray, name: str) -> Vectors:
    """A column of lists as float32 ``[n, d]``."""
    kind = column.type
    numbers = getattr(kind, "value_type", None)
    if numbers is None or not (pa.types.is_floating(numbers) or pa.types.is_integer(numbers)):
        raise DataError(f"{name} must hold lists of numbers; it holds {kind}")
    _refuse(column.is_null().to_numpy(), name, "has no vector")
    try:
        lists = column.cast(pa.large_list(pa.float64())).combine_chunks()
    except pa.ArrowException as error:
        raise DataError(f"{name} cannot be read as lists of numbers: {error}") from error
    lengths = np.diff(lists.offsets.to_numpy())
    dimension = int(lengths[0])
    other = lengths != dimension
    if other.any() or dimension == 0:
        row = int(np.argmax(other)) if dimension else 0
        raise DataError(
            f"{name}, row {row + 1}: a vector of {lengths[row]} numbers, where the first has"
            f" {dimension}; all must have the same length, at least 1"
        )
    values = lists.flatten().to_numpy(zero_copy_only=False).reshape(len(lengths), dimension)
    with np.errstate(over="ignore"):
        vectors: Vectors = values.astype(np.float32)
    finite = np.isfinite(vectors).all(axis=1)
    _refuse(np.logical_not(finite), name, "holds a number that is missing or not finite")
    return vectors


def _refuse(bad: Mask, name: str, fault: str) -> None:
    """Raise for the first row that is bad."""
    found = np.flatnonzero(bad)
    if len(found):
        raise DataError(f"{name}, row {int(found[0]) + 1} {fault}; {len(found):,} such rows")
