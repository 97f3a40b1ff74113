"""Ingested data as changes of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from recsys.catalogue import Catalogue, CatalogueFields
from recsys.errors import DataError
from recsys.ingestion import MISSING_CONTEXT, IngestedData
from recsys.interactions import EVENT, Interactions
from recsys.store.changes import Change, InteractionRecorded, ItemUpserted
from recsys.store.tables import PICTURE, SEPARATOR, TEXT, TITLE


def ingested_changes(ingested: IngestedData) -> tuple[CatalogueFields, int, Iterator[Change]]:
    """Meaning of the attributes, number of changes, and the changes: items, then interactions.

    Raises:
        DataError: The interactions have positions and no times.
    """
    log, catalogue = ingested.interactions, ingested.catalogue
    if log.clock != "timestamp":
        raise DataError(
            "the interactions have positions and no times, which cannot be compared with those of"
            " interactions that are recorded later; ingest them with times"
        )
    kinds = _kinds(catalogue)
    return _fields(catalogue.fields, kinds), len(catalogue) + len(log), _changes(log, catalogue)


def _fields(given: CatalogueFields, kinds: Mapping[str, str]) -> CatalogueFields:
    """The meaning of the columns that :func:`recsys.store.tables.item_table` makes of the items."""
    titled = given.title is not None and given.title in given.text
    return CatalogueFields(
        title=None if given.title is None else TITLE,
        text=(*([TITLE] if titled else []), TEXT),
        categories=given.categories,
        numbers=given.numbers,
        filters={name: given.filters[name] for name in kinds if name in given.filters},
        image=None if given.image is None else PICTURE,
        separator=SEPARATOR,
    )


def _changes(log: Interactions, catalogue: Catalogue) -> Iterator[Change]:
    fields, table = catalogue.fields, catalogue.table
    titles = [None] * len(catalogue) if fields.title is None else table[fields.title].to_pylist()
    texts = [table[name].to_pylist() for name in fields.text if name != fields.title]
    readers = {name: _reader(kind, fields.separator) for name, kind in _kinds(catalogue).items()}
    columns = {name: table[name].to_pylist() for name in readers}
    for row, item_id in enumerate(catalogue.ids.index):
        words = [str(text[row]).strip() for text in texts if text[row] is not None]
        values = {name: readers[name](cells[row]) for name, cells in columns.items()}
        yield ItemUpserted(
            *(item_id, str(titles[row] or ""), " ".join(words)),
            attributes={name: value for name, value in values.items() if value is not None},
            picture=catalogue.image(row),
        )
    yield from _interactions(log)


def _interactions(log: Interactions) -> Iterator[Change]:
    """The interactions in the order of their times."""
    names = {name: list(ids.index) for name, ids in log.context.items()}
    for row in np.argsort(log.time, kind="stable").tolist():
        values = {name: names[name][rows[row]] for name, rows in log.context_rows.items()}
        context = {name: value for name, value in values.items() if value != MISSING_CONTEXT}
        weight = float(log.weight[row])
        yield InteractionRecorded(
            *(log.users.id(log.user[row]), log.items.id(log.item[row]), int(log.time[row])),
            event=context.pop(EVENT, None),
            weight=None if weight == 1 else weight,
            context=context,
            terms=log.phrases[log.terms[row]],
        )


def _kinds(catalogue: Catalogue) -> dict[str, str]:
    """Type of each column that becomes an attribute."""
    fields = catalogue.fields
    kinds: dict[str, str] = {name: "number" for name in fields.numbers}
    for name in fields.categories:
        cells = catalogue.table[name].to_pylist()
        several = any(isinstance(cell, str) and fields.separator in cell for cell in cells)
        kinds[name] = "texts" if several else "text"
    return kinds | dict(fields.filters)


def _reader(kind: str, separator: str) -> Callable[[Any], Any]:
    """A function from a cell to the value of an attribute, or None."""

    def texts(cell: Any) -> Any:
        parts = [part.strip() for part in str(cell).split(separator)] if cell is not None else []
        return tuple(part for part in parts if part) or None

    def text(cell: Any) -> Any:
        return None if cell is None or not str(cell).strip() else str(cell)

    def number(cell: Any) -> Any:
        return None if cell is None or not np.isfinite(float(cell)) else float(cell)

    def boolean(cell: Any) -> Any:
        return cell

    return {"texts": texts, "text": text, "boolean": boolean}.get(kind, number)
