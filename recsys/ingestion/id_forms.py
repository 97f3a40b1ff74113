"""Ids that are written in other ways in other tables, such as 103.0 in one and 103 in another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from recsys.ids import IdMap
from recsys.interactions import ITEM, USER
from recsys.tables import TableLike, as_table

_ENDING = ".0"
_WHOLE = r"^-?(0|[1-9]\d*)(\.0)?$"


def whole_number_ids(
    given: Mapping[str, TableLike | None],
) -> tuple[dict[str, pa.Table | None], list[str]]:
    """Tables by their names with ids such as "103.0", which programs write for numbers in columns
    with gaps, as "103"; and one line per column that was changed.

    Ids stay as written where any id of the users, or of the items, is not a whole number.

    Example:
        >>> log = pa.table({"user_id": ["u"], "item_id": ["103.0"]})
        >>> tables, _ = whole_number_ids({"log": log, "items": pa.table({"item_id": ["103"]})})
        >>> tables["log"]["item_id"].to_pylist()
        ['103']
    """
    tables = {name: None if each is None else as_table(each, name) for name, each in given.items()}
    lines: list[str] = []
    for column in (USER, ITEM):
        texts = {
            name: table[column]
            for name, table in tables.items()
            if table is not None and column in table.column_names and _is_text(table[column].type)
        }
        ending = {name: pc.ends_with(ids, _ENDING) for name, ids in texts.items()}
        ending = {name: mask for name, mask in ending.items() if pc.any(mask, min_count=0).as_py()}
        if not ending or not all(_are_whole(ids) for ids in texts.values()):
            continue
        for name, mask in ending.items():
            table, ids = tables[name], texts[name]
            first = ids.filter(pc.fill_null(mask, False))[0].as_py()
            plain = pc.replace_substring_regex(ids, r"\.0$", "")
            if table is not None:
                position = table.column_names.index(column)
                tables[name] = table.set_column(position, column, plain)
            lines.append(
                f"{name}: column '{column}' holds whole numbers such as '{first}', which are read"
                f" as '{first.removesuffix(_ENDING)}'"
            )
    return tables, lines


def lookalike(unknown: Iterable[str], known: IdMap) -> str:
    """A note on the first unknown id that is a known one in another form; "" without any.

    Example:
        >>> lookalike(["0103"], IdMap.of("item", ["103"]))
        " (the interactions hold '0103' and the items '103': write them alike in both files)"
    """
    for each in unknown:
        plain = each.strip().removesuffix(_ENDING)
        forms = (plain, plain.lstrip("0"), plain.lower(), plain.upper(), f"{plain}{_ENDING}")
        for form in forms:
            if form != each and form in known:
                return (
                    f" (the interactions hold '{each}' and the items '{form}': write them alike in"
                    " both files)"
                )
    return ""


def _are_whole(ids: pa.ChunkedArray) -> bool:
    texts = pc.if_else(pc.equal(ids, ""), None, ids)
    whole = pc.match_substring_regex(texts, _WHOLE)
    return bool(pc.all(whole, min_count=0).as_py())


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
