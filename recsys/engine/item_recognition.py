"""Recognition of the columns of a catalogue: title, texts, categories, numbers and pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from recsys.catalogue import CatalogueFields, FilterType
from recsys.config import parse_config
from recsys.engine.column_names import (
    IMAGE_NAMES,
    ITEM_NAMES,
    TITLE_NAMES,
    find_column,
    plain,
    quoted,
    remedy,
)
from recsys.engine.recognition import SAMPLE, holds_dates
from recsys.errors import DataError
from recsys.formats.columns import RawColumn
from recsys.formats.times import TimeFormat
from recsys.tables import is_text, require_columns

Role = Literal["text", "category", "number", "image"]
SEPARATORS = ("|", ";", ",")
_MOST_DISTINCT = 0.3
"""Largest number of distinct categories per item."""
_CATEGORY_WORDS, _TEXT_WORDS, _TITLE_WORDS = 5, 2, 20
_CODES = ("id", "code", "zip", "number", "sku", "ean", "isbn", "upc", "key")
"""Endings of names of numbers that are labels and no amounts."""
_TRUTH_VALUES = pa.array(["true", "false"])
_PICTURE = r"(?i)\.(jpe?g|png|gif|webp|bmp|tiff?)$"
_ADDRESS = r"(?i)^(https?:)?//"


@dataclass(frozen=True)
class RecognisedItems:
    """Meaning of the columns of a table of items.

    Attributes:
        item: Column of the ids.
        fields: Columns by meaning.
        unused: Reason per column that is not used.
    """

    item: str
    fields: CatalogueFields
    unused: Mapping[str, str]

    def describe(self) -> str:
        """One line for a person."""
        fields = self.fields
        parts = [f"item = '{self.item}'"]
        parts += [
            f"{meaning} = {quoted([name])}"
            for meaning, name in (("title", fields.title), ("image", fields.image))
            if name is not None
        ]
        for meaning in ("text", "categories", "numbers"):
            names = getattr(fields, meaning)
            parts += [f"{meaning} = {quoted(names)}"] if names else []
        if fields.categories and fields.separator != "|":
            parts.append(f"separator = '{fields.separator}'")
        if fields.filters:
            typed = [f"'{name}' ({kind})" for name, kind in fields.filters.items()]
            parts.append(f"filters = {', '.join(typed)}")
        unused = ", ".join(f"'{name}' ({why})" for name, why in self.unused.items())
        return f"items: {', '.join(parts)}{f'; not used: {unused}' if unused else ''}"


@dataclass(frozen=True)
class _Meaning:
    """Role of a column by its values; without a role, the reason."""

    role: Role | None
    reason: str = ""
    separator: str = ""
    words: float = 0.0
    filter: FilterType | None = None


def recognise_items(
    table: pa.Table,
    given: Mapping[str, Any] | None = None,
    *,
    log_item: str | None = None,
    pictures: bool = False,
) -> RecognisedItems:
    """Recognise the columns of a table of items.

    The ids are in the column with the name of the log's item column, else in one with a common
    name. Texts are columns of several words, categories columns with few distinct values or lists,
    numbers columns of amounts; the image is a column of picture files. Truth values are categories
    and, with times, columns for filters.

    Args:
        given: Fields of :class:`~recsys.catalogue.CatalogueFields` that are known, and "item", the
            column of the ids; the others are recognised.
        log_item: Column of the items in the log.
        pictures: Whether there are picture files.

    Raises:
        DataError: The ids are not recognised, or one of several columns could name the pictures.
        ConfigError: ``given`` has an unknown field.

    Example:
        >>> items = pa.table({"sku": ["a", "b"], "name": ["Red lamp", "Blue rug"], "price": [5, 9]})
        >>> recognise_items(items).describe()
        "items: item = 'sku', title = 'name', text = 'name', numbers = 'price'"
    """
    chosen = {key: value for key, value in (given or {}).items() if value is not None}
    item = chosen.pop("item", None) or _find_ids(table, log_item)
    require_columns([item], table.column_names, "items")
    known = parse_config(chosen, CatalogueFields)
    named = {item, *known.columns()[1:]}
    require_columns(sorted(named), table.column_names, "items")
    meanings = {c: _meaning(c, table[c]) for c in table.column_names if c not in named}
    if "image" not in chosen and pictures:
        chosen["image"] = _find_image(meanings)
    if "title" not in chosen:
        chosen["title"] = _find_title(table, meanings)
    if "separator" not in chosen:
        found = [each.separator for each in meanings.values() if each.separator]
        chosen["separator"] = max(SEPARATORS, key=found.count) if found else "|"

    def in_role(role: Role) -> list[str]:
        special = (chosen["title"], chosen.get("image"))
        return [c for c, each in meanings.items() if each.role == role and c not in special]

    title = [] if chosen["title"] is None else [chosen["title"]]
    recognised = {
        "text": [*title, *in_role("text")],
        "categories": in_role("category"),
        "numbers": in_role("number"),
        "filters": {name: each.filter for name, each in meanings.items() if each.filter},
    }
    fields = parse_config(
        {k: v for k, v in {**recognised, **chosen}.items() if v is not None}, CatalogueFields
    )
    used = {item, *fields.columns()[1:]}
    unused = {c: each.reason or _spare(each) for c, each in meanings.items() if c not in used}
    return RecognisedItems(item, fields, unused)


def _spare(meaning: _Meaning) -> str:
    """Why a column with a role is not used."""
    return "no picture files were given" if meaning.role == "image" else "others are named"


def _find_ids(table: pa.Table, log_item: str | None) -> str:
    if log_item in table.column_names:
        return str(log_item)
    same: list[str] = [c for c in table.column_names if plain(c) == plain(log_item or "")]
    if same:
        return same[0]
    ranks = (*ITEM_NAMES[:-1], ("id", "uid", "key"), ITEM_NAMES[-1])
    found = find_column(ranks, table.column_names, table="items", meaning="item")
    if found is None:
        raise DataError(
            "items: no column was recognised as the item ids (its columns: "
            f"{quoted(table.column_names)}); name it with {remedy('items', 'item')}"
        )
    return found


def _find_image(meanings: Mapping[str, _Meaning]) -> str:
    found = [column for column, each in meanings.items() if each.role == "image"]
    named = find_column(IMAGE_NAMES, found, table="items", meaning="image")
    if named is None and len(found) != 1:
        why = f"pictures were given, and no column names their files (columns: {quoted(meanings)})"
        if found:
            why = f"the columns {quoted(found)} all name picture files"
        raise DataError(f"items: {why}; name the column with {remedy('items', 'image')}")
    return named or found[0]


def _find_title(table: pa.Table, meanings: Mapping[str, _Meaning]) -> str | None:
    """The column with a common name, else the shortest text."""
    texts = [column for column in meanings if is_text(table[column].type)]
    for names in TITLE_NAMES:
        found = [column for column in texts if plain(column) in names]
        if found:
            return found[0]
    short = {
        column: each.words
        for column, each in meanings.items()
        if each.role == "text" and each.words <= _TITLE_WORDS and column in texts
    }
    return min(short, key=lambda column: short[column], default=None)


def _meaning(name: str, column: pa.ChunkedArray) -> _Meaning:
    kind = column.type
    values = column.slice(0, SAMPLE).drop_null()
    if not len(values):
        return _Meaning(None, "empty")
    if holds_dates(values):
        return _Meaning(None, "dates", filter="time" if _all_times(values) else None)
    if pa.types.is_boolean(kind):
        return _Meaning("category", filter="boolean")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _meaning_of_numbers(name, values)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _meaning_of_lists(values)
    if is_text(kind):
        texts = values.filter(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(values)), 0))
        return _meaning_of_texts(texts) if len(texts) else _Meaning(None, "empty")
    return _Meaning(None, f"values of the type {kind}")


def _all_times(values: pa.ChunkedArray) -> bool:
    """Whether dates or times are all between the years 1 and 9999."""
    seconds = RawColumn(values, "items", "missing").seconds(TimeFormat())
    return bool(seconds.null_count == 0)


def _meaning_of_numbers(name: str, values: pa.ChunkedArray) -> _Meaning:
    distinct = pc.count_distinct(values).as_py()
    if distinct == 1:
        return _Meaning(None, "one value only")
    if plain(name).endswith(_CODES):
        few = distinct <= _MOST_DISTINCT * len(values)
        return _Meaning("category") if few else _Meaning(None, "codes")
    return _Meaning("number")


def _meaning_of_lists(values: pa.ChunkedArray) -> _Meaning:
    parts = pc.list_flatten(values).drop_null()
    if pa.types.is_nested(parts.type):
        return _Meaning(None, "nested values")
    if not len(parts):
        return _Meaning(None, "empty")
    words = _words(parts) if is_text(parts.type) else 1.0
    return _Meaning("category") if words <= _CATEGORY_WORDS else _Meaning("text", words=words)


def _meaning_of_texts(texts: pa.ChunkedArray) -> _Meaning:
    count = len(texts)
    if _share(texts, _ADDRESS) > 0.5:
        return _Meaning(None, "addresses")
    if _share(texts, _PICTURE) > 0.5:
        return _Meaning("image")
    if pc.all(pc.is_in(pc.ascii_lower(texts), value_set=_TRUTH_VALUES)).as_py():
        return _Meaning("category", filter="boolean")
    distinct, words = pc.count_distinct(texts).as_py(), _words(texts)
    for separator in SEPARATORS:
        if _share(texts, re.escape(separator)) < 0.1:
            continue
        parts = pc.utf8_trim_whitespace(pc.list_flatten(pc.split_pattern(texts, separator)))
        few = pc.count_distinct(parts).as_py() <= _MOST_DISTINCT * count
        if few and _words(parts) <= _CATEGORY_WORDS - 2:
            return _Meaning("category", separator=separator)
    if distinct == 1:
        return _Meaning(None, "one value only")
    if distinct <= _MOST_DISTINCT * count and words <= _CATEGORY_WORDS:
        return _Meaning("category")
    if words >= _TEXT_WORDS:
        return _Meaning("text", words=words)
    return _Meaning(None, "single words, most of them distinct", words=words)


def _share(texts: pa.ChunkedArray, pattern: str) -> float:
    return float(pc.mean(pc.cast(pc.match_substring_regex(texts, pattern), pa.int8())).as_py())


def _words(texts: pa.ChunkedArray) -> float:
    """Mean number of words."""
    return float(
        pc.mean(pc.add(pc.count_substring_regex(pc.utf8_trim_whitespace(texts), r"\s+"), 1)).as_py()
    )
