"""RecBole atomic files: tab separated, with a typed header such as ``user_id:token``.

The layout is stated at https://recbole.io/docs/user_guide/data/atomic_files.html.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa

from recsys.errors import DataError
from recsys.formats.columns import Reading, Unreadable, interactions_frame
from recsys.formats.sources import InteractionColumns, RecBoleInteractions, RecBoleItems
from recsys.formats.tables import present, read_csv
from recsys.interactions import ITEM, USER

KINDS = ("token", "token_seq", "float", "float_seq")


def read_inter(
    source: RecBoleInteractions, path: Path, *, unreadable: Unreadable = "raise"
) -> pd.DataFrame:
    """The interactions, with context columns from the ``.inter`` or the ``.user`` file.

    Raises:
        DataError: A file or column is missing, a header has no type, a value cannot be read.
    """
    file = _file(path, ".inter")
    table, _ = _read(file)
    there = table.column_names
    optional = {"timestamp": source.timestamp, "weight": source.weight}
    named = {
        key: column
        for key, column in optional.items()
        if column is not None and (column in there or key in source.model_fields_set)
    }
    of_users = [column for column in source.context if column not in there]
    columns = InteractionColumns(
        user=source.user,
        item=source.item,
        context=tuple(column for column in source.context if column in there),
        **named,
    )
    present(list(columns.named().values()), there, str(file))
    frame = interactions_frame(table, columns, name=str(file), unreadable=unreadable)
    if of_users:
        users = _file(path, ".user")
        known, _ = _read(users)
        present([source.user, *of_users], known.column_names, str(users))
        lookup = known.to_pandas().drop_duplicates(source.user).set_index(source.user)
        for column in of_users:
            frame[column] = frame[USER].map(lookup[column])
    return frame


def read_item(source: RecBoleItems, path: Path) -> pd.DataFrame:
    """The items: tokens and sequences as text, ``float`` columns as float64.

    Raises:
        DataError: A file or column is missing, a header has no type, a number cannot be read.
    """
    file = _file(path, ".item")
    table, kinds = _read(file)
    wanted = [source.item, *(source.columns or [c for c in table.column_names if c != source.item])]
    present(wanted, table.column_names, str(file))
    frame: pd.DataFrame = table.select(wanted).to_pandas()
    for column in wanted:
        if kinds[column] == "float":
            name = f"{file}: column '{column}'"
            frame[column] = Reading(table.column(column), name).numbers()
    return frame.rename(columns={source.item: ITEM})


def _file(path: Path, ending: str) -> Path:
    """The one file with ``ending`` in a folder, or beside a file of the same name."""
    if not path.is_dir():
        return path if path.suffix == ending else path.with_suffix(ending)
    found = sorted(path.glob(f"*{ending}"))
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise DataError(
            f"{path} must hold one {ending} file; it holds {names}: name the file itself"
        )
    return found[0]


def _read(file: Path) -> tuple[pa.Table, dict[str, str]]:
    """A table whose columns have their bare names, and each one's type."""
    table = read_csv(file, name=str(file), separator="\t", quote=None)
    kinds: dict[str, str] = {}
    for column in table.column_names:
        bare, _, kind = column.partition(":")
        if kind not in KINDS:
            raise DataError(
                f"{file}: the header '{column}' has no type; RecBole writes 'name:type' with a "
                f"type of {', '.join(KINDS)}"
            )
        if bare in kinds:
            raise DataError(f"{file}: column '{bare}' is there twice; rename one of them")
        kinds[bare] = kind
    return table.rename_columns(list(kinds)), kinds
