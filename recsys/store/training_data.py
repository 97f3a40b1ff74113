"""Sections of the data that are read from a store, each at a fixed watermark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from recsys.catalogue import CatalogueFields, FilterType
from recsys.errors import DataError
from recsys.formats import StoreInteractions, StoreItems, resolve
from recsys.interactions import ITEM
from recsys.pictures import PictureStore
from recsys.store.store import open_store
from recsys.store.tables import (
    PICTURE,
    SEPARATOR,
    TEXT,
    TITLE,
    interaction_table,
    item_table,
    store_state,
)

Source: TypeAlias = "StoreInteractions | StoreItems"


@dataclass(frozen=True)
class StoreSection:
    """A section that is read from a store.

    Attributes:
        location: Path or URL of the store.
        store_id: Name of the store, which its copies share.
        watermark: Sequence number of the last change to read.
        fields: Meaning of the items' attributes, as imported data stated it, or None.
    """

    location: str
    store_id: str
    watermark: int
    fields: CatalogueFields | None

    @property
    def fingerprint(self) -> dict[str, Any]:
        """Values that differ where the section's data differ."""
        return {"store_id": self.store_id, "watermark": self.watermark}

    def interactions(self) -> pa.Table:
        """The interactions.

        Raises:
            DataError: There are none.
        """
        with open_store(self.location) as store:
            table = interaction_table(store, watermark=self.watermark)
        if not len(table):
            raise DataError(
                f"{self.location}: the store has no interactions up to {self.watermark:,};"
                " record or import some first"
            )
        return table

    def items(
        self, pictures: Path, given: CatalogueFields
    ) -> tuple[pa.Table, CatalogueFields, PictureStore | None]:
        """The items, the meaning of their columns, and their pictures.

        Args:
            pictures: File to write the pictures to.
            given: Configured meaning; without any, that of imported data, or one by the types.
        """
        with open_store(self.location) as store:
            table = item_table(store, watermark=self.watermark, pictures=pictures)
        fields = given
        if given == CatalogueFields():
            fields = _fields_by_type(table) if self.fields is None else self.fields
            for name in fields.columns():
                if name not in table.column_names:  # no item has it now
                    table = table.append_column(name, pa.nulls(len(table), pa.string()))
        has_pictures = PICTURE in table.column_names and fields.image is not None
        if not has_pictures:
            pictures.unlink()
        return table, fields, PictureStore.open(pictures) if has_pictures else None


def store_sections(sources: Mapping[str, Source], base: Path) -> dict[str, StoreSection]:
    """Sections of a configuration that are read from a store, by name.

    Sections without a watermark are read at that of the store now; sections of one store, at the
    same.
    """
    opened: dict[str, StoreSection] = {}
    sections: dict[str, StoreSection] = {}
    for name, source in sources.items():
        location = source.url or str(resolve(str(source.path), base))
        if source.url is None and not Path(location).is_file():
            raise DataError(f"data.{name}: there is no store at {location}; check the path")
        if location not in opened:
            with open_store(location) as store:
                state = store_state(store)
            opened[location] = StoreSection(location, state.store_id, state.watermark, state.fields)
        section = opened[location]
        if source.watermark is not None:
            section = replace(section, watermark=source.watermark)
        sections[name] = section
    return sections


def _fields_by_type(table: pa.Table) -> CatalogueFields:
    """Meaning of the columns of items that were never imported."""
    own = {ITEM, TITLE, TEXT, PICTURE}
    kinds = {each.name: each.type for each in table.schema if each.name not in own}
    filters: dict[str, FilterType] = {}
    for name, kind in kinds.items():
        if pa.types.is_boolean(kind):
            filters[name] = "boolean"
        elif pa.types.is_string(kind):
            filters[name] = "text"
    return CatalogueFields(
        title=TITLE,
        text=(TITLE, TEXT),
        categories=tuple(name for name, kind in kinds.items() if pa.types.is_list(kind)),
        numbers=tuple(name for name, kind in kinds.items() if pa.types.is_floating(kind)),
        filters=filters,
        image=PICTURE if PICTURE in table.column_names else None,
        separator=SEPARATOR,
    )
