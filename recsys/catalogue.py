"""The catalogue: every item that can be shown, with its words, attributes and picture.

It holds the ingested texts and picture names; ``recsys.encoders`` and ``recsys.features`` make
vectors of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import pyarrow as pa
from pydantic import model_validator

from recsys.config import Config
from recsys.ids import IdMap, Rows
from recsys.interactions import ITEM
from recsys.pictures import PictureStore
from recsys.tables import TableLike, as_table, require_columns

FilterType = Literal["text", "texts", "number", "boolean", "time"]
"""Type of a column that filters read; "texts" is one or more texts per item."""
_POSSIBLE: dict[str, tuple[FilterType, ...]] = {
    "numbers": ("number",),
    "categories": ("text", "texts", "boolean"),
    "text": ("text", "texts"),
}
"""Types of the columns with a meaning."""


class CatalogueFields(Config):
    """Meaning of the columns of the item table.

    Attributes:
        title: Column shown to people.
        text: Columns that the text encoder reads, joined in this order.
        categories: Columns with one or more values, separated by ``separator``.
        numbers: Columns with a number.
        filters: Type of each column that filters read: "text", "texts" (one or more, separated by
            ``separator``), "number", "boolean" or "time". Categories and numbers need no entry.
        image: Column with the file name of the picture.
        separator: Separator of the values of a column of categories.
    """

    title: str | None = None
    text: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    filters: dict[str, FilterType] = {}
    image: str | None = None
    separator: str = "|"

    def columns(self) -> list[str]:
        """Names of all columns in use, the item ids first."""
        named = (self.title, *self.text, *self.categories, *self.numbers, *self.filters, self.image)
        return [ITEM, *(name for name in named if name is not None)]

    def number_columns(self) -> list[str]:
        """Names of the columns with a number, those for filters alone included."""
        typed = [name for name, kind in self.filters.items() if kind == "number"]
        return list(dict.fromkeys([*self.numbers, *typed]))

    @model_validator(mode="after")
    def _check_types(self) -> CatalogueFields:
        for name, kind in self.filters.items():
            for meaning, possible in _POSSIBLE.items():
                if name in getattr(self, meaning) and kind not in possible:
                    raise ValueError(
                        f"filters: '{name}' is among {meaning}, whose type is "
                        f"{' or '.join(possible)}, not {kind}; correct one of them"
                    )
        return self


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Items in row order.

    Attributes:
        ids: Item ids.
        table: One line per item, in row order; a missing value is null.
        fields: Meaning of the columns.
        pictures: Store of the picture files, or None.

    Example:
        >>> table = pa.table({"item_id": ["a", "b"], "title": ["Lamp", None]})
        >>> Catalogue.of(table, CatalogueFields(title="title", text=("title",))).texts()
        ['Lamp', '']
    """

    ids: IdMap
    table: pa.Table
    fields: CatalogueFields
    pictures: PictureStore | None = None

    @classmethod
    def of(
        cls, table: TableLike, fields: CatalogueFields, pictures: PictureStore | None = None
    ) -> Catalogue:
        """A catalogue of a table of Arrow or pandas.

        Raises:
            DataError: A column that ``fields`` names is missing, or an id is empty or there twice.
        """
        table = as_table(table, "the catalogue")
        require_columns(fields.columns(), table.column_names, "the catalogue")
        return cls(IdMap.of("item", table[ITEM].to_pylist()), table, fields, pictures)

    def __len__(self) -> int:
        return len(self.ids)

    def texts(self) -> list[str]:
        """Words of the text columns of each item, joined; "" where there are none."""
        return [" ".join(parts) for parts in zip(*map(self._strings, self.fields.text))] or (
            [""] * len(self)
        )

    def titles(self) -> list[str]:
        """Title of each item, or its id where it has none."""
        if self.fields.title is None:
            return [self.ids.id(row) for row in range(len(self))]
        titles = self._strings(self.fields.title)
        return [title or self.ids.id(row) for row, title in enumerate(titles)]

    def titles_at(self, rows: Rows) -> list[str | None]:
        """Title of each of ``rows``, or None where it has none."""
        if self.fields.title is None:
            return [None] * len(rows)
        return [_text(value) or None for value in self._title_column.take(rows).to_pylist()]

    @cached_property
    def image_names(self) -> list[str | None]:
        """File name of the picture of each item, or None."""
        if self.fields.image is None:
            return [None] * len(self)
        return [name or None for name in self._strings(self.fields.image)]

    def image(self, row: int) -> bytes | None:
        """Bytes of the picture of one item, or None where there is none or the file is missing."""
        name = self.image_names[row]
        return None if self.pictures is None or name is None else self.pictures.read(name)

    def _strings(self, column: str) -> list[str]:
        return [_text(value) for value in self.table[column].to_pylist()]

    @cached_property
    def _title_column(self) -> pa.Array:
        return self.table[self.fields.title].combine_chunks()


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value).strip()


def catalogue_of_ids(ids: Sequence[str]) -> Catalogue:
    """A catalogue of ids alone, for logs that come without one."""
    return Catalogue.of(pa.table({ITEM: pa.array(ids, pa.string())}), CatalogueFields())
