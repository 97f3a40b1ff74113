"""The items table, cleaned: one row per item, typed columns, one text per column of categories.

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
from recsys.formats.columns import TEXT, RawColumn, Unreadable, UnreadValues, treated
from recsys.ids import IdMap
from recsys.ingestion.id_rules import drop_unusable_ids
from recsys.ingestion.lists import joined_lists
from recsys.ingestion.policy import IngestPolicy
from recsys.ingestion.report import Group, TableReport, group_by_reason
from recsys.ingestion.row_filter import RowFilter, row_numbers
from recsys.ingestion.typed_columns import REMEDY, typed_columns
from recsys.interactions import ITEM
from recsys.pictures import ABSENT, PictureStore
from recsys.tables import TableLike, as_table, factorize, require_columns

_TABLE = "items"
UNNAMED = "not named"
"""Reason for which an item without the name of a picture has none."""


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

    def numbers(self) -> list[int]:
        """Numbers of the kept rows in the table, from 1."""
        return self.rows.numbers(_TABLE)

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
    unread: UnreadValues,
) -> CleanItems:
    """Check a table of items; ``unread`` has ids that its reader could not read."""
    raw = as_table(items, _TABLE)
    require_columns(fields.columns(), raw.column_names, _TABLE)
    unreadable: Unreadable = "raise" if policy.bad_rows == "raise" else unread
    ids = RawColumn(raw[ITEM], f"{_TABLE}: column '{ITEM}'", treated(unreadable, ITEM)).ids()
    rows = RowFilter({_TABLE: row_numbers(len(raw))})
    for found in unread.columns:
        gone = found.values.is_valid().to_numpy()
        rows.drop(f"expected {found.expected}", gone, found.values, column=found.column)
    missing = ids.is_null().to_numpy()
    rows.drop("missing item_id", missing, ids, policy=policy.bad_rows, remedy=REMEDY)
    drop_unusable_ids(rows, ITEM, *factorize(ids), ids, policy=policy.bad_rows, remedy=REMEDY)
    table = _replaced(joined_lists(raw, fields, _TABLE), ITEM, ids)
    table = typed_columns(table, raw, fields, rows, policy)
    if fields.image is not None:
        table = _replaced(
            table, fields.image, _picture_names(raw[fields.image], fields.image, rows)
        )
    _drop_duplicates(ids, rows, policy)
    return CleanItems(table, rows, fields, pictures)


def _picture_names(raw: pa.ChunkedArray, column: str, rows: RowFilter) -> pa.ChunkedArray:
    """Names as text; a list of one name is that name, and one of several is missing."""
    if pa.types.is_list(raw.type) or pa.types.is_large_list(raw.type):
        lists = [[name for name in names or () if name] for names in raw.to_pylist()]
        several = np.array([len(names) > 1 for names in lists], bool)
        rows.miss("a list of several names, expected one", several, raw, column=column)
        single = [names[0] if len(names) == 1 else None for names in lists]
        raw = pa.chunked_array([pa.array(single, raw.type.value_type)])
    return RawColumn(raw, f"{_TABLE}: column '{column}'").categories()


def check_pictures(catalogue: Catalogue, numbers: list[int]) -> tuple[Catalogue, tuple[Group, ...]]:
    """The catalogue without names that cannot be those of files, and its items without a picture.

    ``numbers`` are those of the items in their table. A name that is not in the store stays.
    """
    column = catalogue.fields.image
    if column is None:
        return catalogue, ()
    names, store = catalogue.image_names, catalogue.pictures
    faults: list[tuple[str, int | None, str]] = []
    kept = list(names)
    for row, name in enumerate(names):
        item = f"item {catalogue.ids.id(row)}"
        if name is None:
            faults.append((UNNAMED, numbers[row], item))
        elif store is not None and (reason := store.fault(name)) is not None:
            faults.append((reason, numbers[row], f"{item}: {name!r}"))
            kept[row] = name if reason == ABSENT else None
    if kept != names:
        table = _replaced(catalogue.table, column, pa.chunked_array([kept], TEXT))
        catalogue = Catalogue(catalogue.ids, table, catalogue.fields, store)
    return catalogue, group_by_reason(faults, column=column)


def _replaced(table: pa.Table, column: str, values: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.column_names.index(column), column, values)


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
