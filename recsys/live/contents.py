"""The content of upserted items as rows of a catalogue's table, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Any

import pyarrow as pa

from recsys.catalogue import Catalogue, CatalogueFields, FilterType
from recsys.errors import InvalidRequestError, suggestion
from recsys.interactions import ITEM
from recsys.retrieval.filters.schema import FilterSchema, seconds_of
from recsys.store import ItemUpserted
from recsys.tables import is_text

_NOUNS: Mapping[FilterType, str] = {
    "text": "a text",
    "texts": "a text or several texts",
    "number": "a number",
    "boolean": "true or false",
    "time": "a time in ISO 8601 or in seconds since 1970",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, eq=False)
class ItemTable:
    """Conversion of items to rows with the columns of a bundle's catalogue.

    Attributes:
        catalogue: Catalogue of the bundle.

    Example:
        >>> table = pa.table({"item_id": ["a"], "title": ["Lamp"], "price": [5]})
        >>> fields = CatalogueFields(title="title", text=("title",), numbers=("price",))
        >>> items = ItemTable(Catalogue.of(table, fields))
        >>> items.table([ItemUpserted("b", "Rug", attributes={"price": 7.0})]).to_pylist()
        [{'item_id': 'b', 'title': 'Rug', 'price': 7}]
    """

    catalogue: Catalogue

    @cached_property
    def schema(self) -> FilterSchema:
        """Columns that filters read."""
        return FilterSchema.of(self.catalogue)

    @property
    def fields(self) -> CatalogueFields:
        """Meaning of the columns."""
        return self.catalogue.fields

    @cached_property
    def text_column(self) -> str | None:
        """The column of an item's text: the first column of texts that is not the title."""
        return next((name for name in self.fields.text if name != self.fields.title), None)

    @cached_property
    def attributes(self) -> dict[str, FilterType | None]:
        """Columns that attributes fill, with their types; None for a column that filters do not
        read."""
        own = {ITEM, self.fields.title, self.text_column, self.fields.image}
        names = [name for name in self.catalogue.table.column_names if name not in own]
        return {name: self.schema.types.get(name) for name in names}

    def check(self, item: ItemUpserted) -> None:
        """Check that the columns of the catalogue can hold an item.

        Raises:
            InvalidRequestError: A part has no column, or an attribute is of another type.
        """
        for field, column in (("title", self.fields.title), ("text", self.text_column)):
            if getattr(item, field) and column is None:
                raise InvalidRequestError(
                    f"item {item.item_id!r:.80}: the catalogue of this bundle has no column for a "
                    f"{field}; leave it out",
                    field=field,
                )
        for name, value in item.attributes.items():
            if name not in self.attributes:
                raise InvalidRequestError(
                    f"item {item.item_id!r:.80}: the catalogue of this bundle has no attribute "
                    f"{name!r:.80}{suggestion(name, self.attributes)}; it has: "
                    f"{', '.join(self.attributes) or 'none'}",
                    field=f"attributes.{name:.80}",
                )
            kind = self.attributes[name]
            if not self._fits(name, kind, value):
                raise InvalidRequestError(
                    f"item {item.item_id!r:.80}: attribute {name!r:.80} must be "
                    f"{_NOUNS[kind or 'text']}; got {value!r:.80}",
                    field=f"attributes.{name:.80}",
                )

    def table(self, items: Sequence[ItemUpserted]) -> pa.Table:
        """One row per item, with the columns of the catalogue."""
        schema = self.catalogue.table.schema
        columns = {name: self.column(items, name) for name in schema.names}
        return pa.table(columns)

    def column(self, items: Sequence[ItemUpserted], name: str) -> pa.ChunkedArray:
        """One column of :meth:`table`; null where an item has no value."""
        cells = [self._cell(item, name) for item in items]
        kind = self.catalogue.table.schema.field(name).type
        try:
            return pa.chunked_array([pa.array([_converted(cell, kind) for cell in cells], kind)])
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            # The type of the bundle's column cannot hold a value; readers read it as text.
            return pa.chunked_array([pa.array(map(_text, cells), pa.string())])

    def item(self, row: int) -> ItemUpserted:
        """The content of an item of the bundle, without its picture."""
        cells = {name: self.catalogue.table[name][row].as_py() for name in self._read}
        title, text = (
            cells.pop(name or "", None) for name in (self.fields.title, self.text_column)
        )
        attributes = {
            name: made
            for name, cell in cells.items()
            if (made := self._attribute(self.attributes[name], cell)) is not None
        }
        item_id = self.catalogue.ids.id(row)
        return ItemUpserted(item_id, _text(title) or "", _text(text) or "", attributes)

    @cached_property
    def _read(self) -> list[str]:
        named = [self.fields.title, self.text_column]
        return [name for name in named if name is not None] + list(self.attributes)

    def _cell(self, item: ItemUpserted, name: str) -> Any:
        if name == ITEM:
            return item.item_id
        if name == self.fields.title:
            return item.title or None
        if name == self.text_column:
            return item.text or None
        if name == self.fields.image:
            return None
        value = item.attributes.get(name)
        if self.schema.types.get(name) == "time":
            return self._time(name, value)
        return self.fields.separator.join(value) if isinstance(value, tuple) else value

    def _time(self, name: str, value: Any) -> Any:
        """A time in ISO 8601 where the column holds texts, else in seconds."""
        if is_text(self.catalogue.table.schema.field(name).type):
            is_number = isinstance(value, float)
            return (_EPOCH + timedelta(seconds=value)).isoformat() if is_number else value
        return seconds_of(value) if isinstance(value, str) else value

    def _fits(self, name: str, kind: FilterType | None, value: Any) -> bool:
        if kind == "number":
            return isinstance(value, float) and not isinstance(value, bool)
        if kind == "boolean":
            return isinstance(value, bool)
        if kind == "time":
            given = seconds_of(value) is not None if isinstance(value, str) else None
            return isinstance(value, float) if given is None else given
        if isinstance(value, tuple):
            separator = self.fields.separator
            return kind == "texts" and not any(separator in each for each in value)
        is_number = not is_text(self.catalogue.table.schema.field(name).type)
        return isinstance(value, str) or (is_number and isinstance(value, float | bool))

    def _attribute(self, kind: FilterType | None, cell: Any) -> Any:
        if cell is None or cell != cell:
            return None
        if kind == "texts":
            parts = (part.strip() for part in str(cell).split(self.fields.separator))
            return tuple(part for part in parts if part)
        if isinstance(cell, bool | int | float | str):
            return cell
        return _text(cell)


def _converted(cell: Any, kind: pa.DataType) -> Any:
    """A value of an attribute as a column of a type holds it."""
    if cell is None:
        return None
    if pa.types.is_temporal(kind) and isinstance(cell, float):
        moment = _EPOCH + timedelta(seconds=cell)
        if pa.types.is_date(kind):
            return moment.date()
        return moment if getattr(kind, "tz", None) else moment.replace(tzinfo=None)
    if pa.types.is_integer(kind) and isinstance(cell, float):
        if not cell.is_integer():
            raise ValueError("no whole number")
        return int(cell)
    return _text(cell) if is_text(kind) else cell


def _text(cell: Any) -> str | None:
    """A value as text; whole numbers without a fraction."""
    if cell is None:
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
