"""Columns of the items table whose values are lists: joined where a list has a meaning."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.catalogue import CatalogueFields
from recsys.errors import DataError
from recsys.formats.columns import RawColumn


def joined_lists(table: pa.Table, fields: CatalogueFields, name: str) -> pa.Table:
    """Lists in columns of text and categories as one text each, with their separators.

    Missing values in a list are left out. A list without values is missing.

    Raises:
        DataError: The title holds lists, or a column holds values of another nested type.
    """
    if fields.title is not None and pa.types.is_nested(table[fields.title].type):
        raise DataError(
            f"{name}: column '{fields.title}' is the title and holds {table[fields.title].type};"
            " set data.fields.title to a column of text (lists may be text or categories)"
        )
    separators = dict.fromkeys(fields.text, " ")
    texts = [name for name, kind in fields.filters.items() if kind == "texts"]
    separators |= dict.fromkeys([*fields.categories, *texts], fields.separator)
    for column, separator in separators.items():
        raw = table[column]
        if pa.types.is_nested(raw.type):
            joined = _joined(raw, separator, f"{name}: column '{column}'")
            table = table.set_column(table.column_names.index(column), column, joined)
    return table


def _joined(raw: pa.ChunkedArray, separator: str, name: str) -> pa.ChunkedArray:
    values_of = getattr(raw.type, "value_type", None)
    is_list = values_of is not None and not pa.types.is_map(raw.type)
    if not is_list or pa.types.is_nested(values_of):
        raise DataError(
            f"{name} must hold single values or lists of them; it holds {raw.type}: write one"
            " column per value, or leave the column out"
        )
    lists = raw.cast(pa.large_list(values_of)).combine_chunks()
    values = RawColumn(pa.chunked_array([pc.list_flatten(lists)]), name).categories()
    parents = pc.list_parent_indices(lists).to_numpy()
    valid = values.is_valid().to_numpy()
    counts = np.bincount(parents[valid], minlength=len(lists))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    kept = values.filter(pa.array(valid)).cast(pa.string()).combine_chunks()
    joined = pc.binary_join(
        pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), kept), separator
    )
    return pa.chunked_array([pc.if_else(pa.array(counts > 0), joined, None)])
