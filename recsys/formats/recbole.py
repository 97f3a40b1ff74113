"""RecBole atomic files: tab separated, with a typed header such as ``user_id:token``.

The layout is stated at https://recbole.io/docs/user_guide/data/atomic_files.html.
"""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa

from recsys.errors import DataError
from recsys.formats.columns import RawColumn, Unreadable, add_user_columns, interactions_table
from recsys.formats.delimited import read_csv
from recsys.formats.sources import InteractionColumns, RecBoleInteractions, RecBoleItems
from recsys.interactions import ITEM
from recsys.tables import require_columns

PART = "part"
"""Context column with the part of each interaction, which the protocol ``fixed`` reads."""
_PARTS = {"part1": "train", "part2": "validation", "part3": "test"}
_PARTS |= {"train": "train", "valid": "validation", "validation": "validation", "test": "test"}
_PART = re.compile(rf"(.+)\.({'|'.join(_PARTS)})\.inter")
KINDS = ("token", "token_seq", "float", "float_seq")


def read_inter(
    source: RecBoleInteractions, path: Path, *, unreadable: Unreadable = "raise"
) -> pa.Table:
    """The interactions, with context columns from the ``.inter`` or the ``.user`` file."""
    file, table = _interactions(path)
    known = table.column_names
    optional = {"timestamp": source.timestamp, "weight": source.weight}
    named = {
        key: column
        for key, column in optional.items()
        if column in known or (column is not None and key in source.model_fields_set)
    }
    of_users = tuple(column for column in source.context if column not in known)
    columns = InteractionColumns(
        user=source.user,
        item=source.item,
        context=tuple(c for c in known if c in source.context or (c == PART and file.is_dir())),
        **named,
    )
    made = interactions_table(table, columns, name=str(file), unreadable=unreadable)
    if not of_users:
        return made
    file = _file(path, ".user")
    users, _ = _read(file)
    require_columns([source.user, *of_users], users.column_names, str(file))
    return add_user_columns(made, users, of_users, user=source.user)


def read_item(source: RecBoleItems, path: Path) -> pa.Table:
    """The items: tokens and sequences as text, ``float`` columns as float64."""
    file = _file(path, ".item")
    table, kinds = _read(file)
    wanted = [source.item, *(source.columns or [c for c in table.column_names if c != source.item])]
    require_columns(wanted, table.column_names, str(file))
    columns = {column: table.column(column) for column in wanted}
    for column in wanted:
        if kinds[column] == "float":
            columns[column] = RawColumn(columns[column], f"{file}: column '{column}'").numbers()
    return pa.table(columns).rename_columns([ITEM, *wanted[1:]])


def _interactions(path: Path) -> tuple[Path, pa.Table]:
    """The file and its table, or the folder and the table of its parts with a column "part"."""
    parts = _parts(path) if path.is_dir() else {}
    if not parts:
        file = _file(path, ".inter")
        return file, _read(file)[0]
    tables: list[pa.Table] = []
    for part, file in parts.items():
        table, _ = _read(file)
        if PART in table.column_names:
            raise DataError(f"{file}: the column '{PART}' names the file's part; rename it")
        table = table.append_column(PART, pa.repeat(part, len(table)))
        if tables:
            require_columns(tables[0].column_names, table.column_names, str(file))
        tables.append(table)
    return path, pa.concat_tables([table.select(tables[0].column_names) for table in tables])


def _parts(path: Path) -> dict[str, Path]:
    """The ``.inter`` file of each part of a data set that was split; empty for any other folder.

    RecBole's ``benchmark_filename`` names the parts, usually part1, part2 and part3.
    """
    files = {file.name: file for file in sorted(path.glob("*.inter"))}
    found = [match for match in map(_PART.fullmatch, files) if match is not None]
    stems = {match[1] for match in found}
    if len(found) < 2 or len(found) < len(files) or len(stems) > 1:
        return {}
    parts = {_PARTS[match[2]]: files[match[0]] for match in found}
    if len(parts) < len(found) or not {"train", "test"} <= set(parts):
        raise DataError(
            f"{path} holds parts of interactions ({', '.join(files)}), of which one must be the"
            " training (part1 or train) and one the test (part3 or test); name one file to read it"
        )
    return {part: parts[part] for part in ("train", "validation", "test") if part in parts}


def _file(path: Path, ending: str) -> Path:
    """The one file with ``ending`` in a folder, or next to a file of the same name."""
    if not path.is_dir():
        if path.suffix == ending:
            return path
        part = _PART.fullmatch(path.name)
        return path.with_suffix(ending) if part is None else path.with_name(part[1] + ending)
    found = sorted(path.glob(f"*{ending}"))
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise DataError(
            f"{path} must hold one {ending} file; it holds {names}: name the file itself"
        )
    return found[0]


def _read(file: Path) -> tuple[pa.Table, dict[str, str]]:
    """The table with bare column names, and the type of each column."""
    table = read_csv(file, name=str(file), separator="\t", quote="")
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
