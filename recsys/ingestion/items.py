"""The items table, cleaned: one row per item, finite numbers, one text per column of categories.

Whether its pictures can be decoded is found by the image encoders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys.catalogue import Catalogue, CatalogueFields
from recsys.formats.columns import RawColumn
from recsys.ids import IdMap
from recsys.ingestion.policy import IngestPolicy
from recsys.ingestion.report import EXAMPLES, Group, TableReport
from recsys.ingestion.row_filter import RowFilter, row_numbers
from recsys.interactions import ITEM
from recsys.pictures import PictureStore
from recsys.tables import TableLike, as_table, factorize, require_columns

_TABLE = "items"


@dataclass(eq=False)
class CleanItems:
    """The cleaned items table.

    Attributes:
        table: All rows.
        rows: Rows that are kept.
        fields: Meaning of the columns.
        pictures: Store of the pictures, or None.
    """

    table: pa.Table
    rows: RowFilter
    fields: CatalogueFields
    pictures: PictureStore | None

    def ids(self) -> IdMap:
        """Ids of the items that are kept."""
        return IdMap.of("item", self._kept()[ITEM].to_pylist())

    def catalogue(self) -> Catalogue:
        """Catalogue of the items that are kept, in the order of the table."""
        return Catalogue.of(self._kept(), self.fields, self.pictures)

    def report(self) -> TableReport:
        """Report of the table."""
        return self.rows.report(_TABLE)

    def keep_only(self, items: Sequence[str]) -> None:
        """Leave out the items that have no interaction, which are those not in ``items``."""
        known = pc.is_in(self.table[ITEM], value_set=pa.array(items, self.table[ITEM].type))
        self.rows.drop("no interaction with the item", ~known.to_numpy(), self.table[ITEM])

    def _kept(self) -> pa.Table:
        return self.table.filter(pa.array(self.rows.keep))


def clean_items(
    items: TableLike,
    fields: CatalogueFields,
    policy: IngestPolicy,
    pictures: PictureStore | None,
) -> CleanItems:
    """Check a table of items."""
    raw = as_table(items, _TABLE)
    require_columns(fields.columns(), raw.column_names, _TABLE)
    ids = RawColumn(raw[ITEM], f"{_TABLE}: column '{ITEM}'").ids()
    rows = RowFilter({_TABLE: row_numbers(len(raw))})
    remedy = "fix it, or set bad_rows = 'skip'"
    missing = ids.is_null().to_numpy()
    rows.drop("missing item_id", missing, ids, policy=policy.bad_rows, remedy=remedy)
    table = _replaced(_joined_lists(raw, fields), ITEM, ids)
    for column in dict.fromkeys(fields.numbers):
        written = RawColumn(raw[column], f"{_TABLE}: column '{column}'", "missing")
        numbers = written.numbers()
        broken = written.present() & ~np.isfinite(numbers.to_numpy())
        reason = f"'{column}' is not a finite number"
        rows.drop(reason, broken, raw[column], policy=policy.bad_rows, remedy=remedy)
        table = _replaced(table, column, numbers)
    _drop_duplicates(ids, rows, policy)
    return CleanItems(table, rows, fields, pictures)


def picture_groups(catalogue: Catalogue) -> tuple[Group, ...]:
    """Items whose picture is not named, or not in the store; rows are those of the catalogue."""
    if catalogue.fields.image is None:
        return ()
    names, store = catalogue.image_names, catalogue.pictures
    unnamed = [row for row, name in enumerate(names) if name is None]
    groups = [_group("not named", unnamed, [catalogue.ids.id(row) for row in unnamed[:EXAMPLES]])]
    if store is not None:
        absent = [row for row, name in enumerate(names) if name is not None and name not in store]
        groups.append(_group("not in the store", absent, [str(names[row]) for row in absent]))
    return tuple(group for group in groups if group.count)


def _replaced(table: pa.Table, column: str, values: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.column_names.index(column), column, values)


def _joined_lists(table: pa.Table, fields: CatalogueFields) -> pa.Table:
    """Lists in columns of text and categories as one text each, with their separators."""
    separators = dict.fromkeys(fields.text, " ")
    separators |= dict.fromkeys(fields.categories, fields.separator)
    for column, separator in separators.items():
        raw = table[column]
        if not (pa.types.is_list(raw.type) or pa.types.is_large_list(raw.type)):
            continue
        if len(pc.list_flatten(raw)):
            joined = pc.binary_join(pc.cast(raw, pa.list_(pa.string())), separator)
        else:
            joined = pa.nulls(len(raw), pa.string())
        table = _replaced(table, column, joined)
    return table


def _drop_duplicates(ids: pa.ChunkedArray, rows: RowFilter, policy: IngestPolicy) -> None:
    keep: Literal["first", "last"] = "last" if policy.duplicate_items == "keep-last" else "first"
    again = np.zeros(len(ids), bool)
    codes = pd.Series(factorize(ids)[0][rows.keep])
    again[rows.keep] = codes.duplicated(keep=keep).to_numpy()
    rows.drop(
        "the item_id is in the table more than once",
        again,
        ids,
        policy="raise" if policy.duplicate_items == "raise" else "skip",
        remedy="fix it, or set duplicate_items = 'keep-first' or 'keep-last'",
    )


def _group(reason: str, rows: list[int], values: list[str]) -> Group:
    first = tuple(row + 1 for row in rows[:EXAMPLES])
    return Group(reason, len(rows), first, tuple(values[:EXAMPLES]))
