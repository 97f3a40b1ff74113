"""The items table, cleaned: one row an item, numbers that are numbers, one text a category column.

Whether its pictures can be decoded is for the image encoders to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys.catalogue import Catalogue, CatalogueFields
from recsys.errors import DataError
from recsys.formats.columns import Reading
from recsys.formats.tables import present, to_frame
from recsys.ids import IdMap, Mask
from recsys.ingestion.ledger import Ledger, numbered
from recsys.ingestion.policy import IngestPolicy
from recsys.ingestion.report import EXAMPLES, Group, TableReport
from recsys.interactions import ITEM
from recsys.pictures import PictureStore

_TABLE = "items"


@dataclass(eq=False)
class CleanItems:
    """The items table on its way in; the log decides whether items that nobody met stay."""

    table: pd.DataFrame
    ledger: Ledger
    fields: CatalogueFields
    pictures: PictureStore | None

    def ids(self) -> IdMap:
        """The ids of the items that are kept."""
        return IdMap.of("item", self.table[ITEM][self.ledger.keep].tolist())

    def catalogue(self) -> Catalogue:
        """The catalogue of the items that are kept, in the order of the table."""
        kept = self.table[self.ledger.keep].reset_index(drop=True)
        return Catalogue.of(settled(kept), self.fields, self.pictures)

    def report(self) -> TableReport:
        """What became of the rows."""
        return self.ledger.report(_TABLE)

    def drop_unmet(self, met: Sequence[str]) -> None:
        """Leave out the items that are not among ``met``."""
        unmet = ~self.table[ITEM].isin(list(met)).to_numpy(bool)
        self.ledger.drop("no interaction with the item", unmet, self.table[ITEM])


def clean_items(
    items: pd.DataFrame,
    fields: CatalogueFields,
    policy: IngestPolicy,
    pictures: PictureStore | None,
) -> CleanItems:
    """Check a table of items.

    Raises:
        DataError: A column is missing, or a row is bad or there twice and the policy is "raise".
    """
    named = (ITEM, fields.title, *fields.text, *fields.categories, *fields.numbers, fields.image)
    present([name for name in named if name], [str(name) for name in items.columns], _TABLE)
    raw = as_table(items, _TABLE)
    ids = Reading(raw.column(ITEM), f"{_TABLE}: column '{ITEM}'").ids()
    ledger = Ledger({_TABLE: numbered(len(items))})
    remedy = "mend it, or set bad_rows = 'skip'"
    bad = policy.bad_rows
    ledger.drop_or_raise(bad, "missing item_id", ids.isna().to_numpy(), ids, remedy=remedy)
    made = to_frame(_joined_lists(raw, fields))
    made[ITEM] = ids
    for column in dict.fromkeys(fields.numbers):
        numbers, broken = _numbers(raw.column(column), column)
        reason = f"'{column}' is not a finite number"
        ledger.drop_or_raise(bad, reason, broken, items[column], remedy=remedy)
        made[column] = numbers
    _drop_duplicates(ids, ledger, policy)
    return CleanItems(made, ledger, fields, pictures)


def picture_groups(catalogue: Catalogue) -> tuple[Group, ...]:
    """Items whose picture is not named, or not in the store; rows are those of the catalogue.

    Raises:
        DataError: A name leads out of the store.
    """
    if catalogue.fields.image is None:
        return ()
    names = catalogue.image_names
    unnamed = [row for row, name in enumerate(names) if name is None]
    groups = [_group("not named", unnamed, [catalogue.ids.id(row) for row in unnamed[:EXAMPLES]])]
    store = catalogue.pictures
    if store is not None:
        absent = [row for row, name in enumerate(names) if name is not None and name not in store]
        told = [str(names[row]) for row in absent[:EXAMPLES]]
        groups.append(_group("not in the store", absent, told))
    return tuple(group for group in groups if group.count)


def as_table(frame: pd.DataFrame, name: str) -> pa.Table:
    """A pandas table as an Arrow table, without its index.

    Raises:
        DataError: A column mixes kinds of values, or is there twice.
    """
    columns = [str(column) for column in frame.columns]
    twice = [column for column in columns if columns.count(column) > 1]
    if twice:
        raise DataError(f"{name}: column '{twice[0]}' is there twice; rename one of them")
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{name}: a column mixes kinds of values: {error}") from error
    return table.rename_columns(columns)


def settled(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with the types it has after it was saved and loaded."""
    made: pd.DataFrame = as_table(frame, _TABLE).to_pandas()
    return made


def _joined_lists(table: pa.Table, fields: CatalogueFields) -> pa.Table:
    """Lists in category and text columns as one text each, with their separators."""
    separators = dict.fromkeys(fields.text, " ") | dict.fromkeys(
        fields.categories, fields.separator
    )
    for column, separator in separators.items():
        raw = table.column(column)
        if not (pa.types.is_list(raw.type) or pa.types.is_large_list(raw.type)):
            continue
        values = pc.list_flatten(raw)
        texts = pc.cast(raw, pa.list_(pa.string())) if len(values) else raw
        place = table.column_names.index(column)
        joined = (
            pc.binary_join(texts, separator) if len(values) else pa.nulls(len(raw), pa.string())
        )
        table = table.set_column(place, column, joined)
    return table


def _numbers(raw: pa.ChunkedArray, column: str) -> tuple[pd.Series[Any], Mask]:
    """float64 with NaN where missing, and where something is there that is no finite number."""
    reading = Reading(raw, f"{_TABLE}: column '{column}'", "missing")
    numbers = reading.numbers()
    finite: Mask = np.isfinite(numbers.to_numpy())
    return numbers, reading.present() & ~finite


def _drop_duplicates(ids: pd.Series[Any], ledger: Ledger, policy: IngestPolicy) -> None:
    keep = "last" if policy.duplicate_items == "keep-last" else "first"
    again = np.zeros(len(ids), bool)
    again[ledger.keep] = ids[ledger.keep].duplicated(keep=keep).to_numpy()  # type: ignore[arg-type]
    ledger.drop_or_raise(
        "raise" if policy.duplicate_items == "raise" else "skip",
        "the item_id is in the table more than once",
        again,
        ids,
        remedy="mend it, or set duplicate_items = 'keep-first' or 'keep-last'",
    )


def _group(reason: str, rows: list[int], values: list[str]) -> Group:
    return Group(reason, len(rows), tuple(row + 1 for row in rows[:EXAMPLES]), tuple(values))
