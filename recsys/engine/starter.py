"""A first configuration for files whose columns were recognised, as commented TOML."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.engine.fitting import EngineInputs
from recsys.pipeline.defaults.profile import PURCHASES

_OPENING = """\
# Written by `recsys init`, which recognised the columns. Correct them where they are wrong, then:
#     recsys run {file}
# Sections that are not here ([split], [text], [towers], [train], ...) are chosen from the data;
# docs/reference/configuration.md lists every key. Paths start from the folder of this file.

name = {name}{pad}# its results are in runs/{plain_name}
"""
_CLOSING = """\
# A bad row stops the run. To skip such rows and count them in the report:
# [data.policy]
# bad_rows = "skip"                  # a missing id, or a time that cannot be read
# unknown_items = "skip"             # an interaction with an item that is not in the catalogue
# duplicate_items = "keep-first"     # an item id that is in the catalogue more than once
"""
_COMMENTS = {
    "title": "shown to people",
    "text": "read by the text encoder",
    "categories": "one or more values per item",
    "numbers": "amounts",
    "filters": "read by filters alone, or with a type of their own",
    "image": "file names in data.pictures",
}


def starter_config(
    inputs: EngineInputs,
    *,
    name: str,
    folder: Path,
    pictures: Path | None = None,
    file: str = "FILE",
) -> str:
    """The text of a configuration in ``folder``; the tables of ``inputs`` are files."""
    data = inputs.data_section(folder)
    opening = {"name": _value(name), "plain_name": name, "file": file}
    parts = [_OPENING.format(**opening, pad=" " * max(1, 28 - len(name)))]
    if pictures is not None:
        path = _relative(pictures.resolve(), folder)
        parts.append(f"[data]\npictures = {_value(path)}\n")
    notes = {"interactions": inputs.log_columns.unused}
    if inputs.search_columns is not None:
        notes["searches"] = inputs.search_columns.unused
    for section in ("interactions", "searches", "items"):
        if section in data:
            values = {**data[section], "path": _relative(Path(data[section]["path"]), folder)}
            parts.append(_section(f"data.{section}", values, _not_used(notes.get(section, ()))))
    if "fields" in data and inputs.item_columns is not None:
        unused = [f"{name} ({why})" for name, why in inputs.item_columns.unused.items()]
        parts.append(_section("data.fields", data["fields"], _not_used(unused)))
    return "\n".join([*parts, _CLOSING + _events(inputs)])


def run_name(log: Path) -> str:
    """A name for a run of a file.

    Example:
        >>> run_name(Path("data/My visits.csv.gz"))
        'My-visits'
    """
    return re.sub(r"[^A-Za-z0-9_-]+", "-", log.name.split(".")[0]).strip("-_")[:100] or "run"


def _events(inputs: EngineInputs) -> str:
    """A commented key of the policy, with weights for the kinds of event in the first rows."""
    event = inputs.log_columns.columns.event
    if event is None:
        return ""
    kinds = sorted(str(kind) for kind in inputs.log.table[event].drop_null().unique().to_pylist())
    weights = {kind: 1.0 if kind.lower() in PURCHASES else 0.1 for kind in kinds}
    table = ", ".join(f"{_value(kind)} = {weight:g}" for kind, weight in weights.items())
    return (
        "# Weights of events in training; kinds that are not listed are left out"
        f" (docs/how-to/shops.md):\n# events = {{ {table} }}\n"
    )


def _section(name: str, values: Mapping[str, Any], note: str) -> str:
    lines = [f"[{name}]"]
    for key, value in values.items():
        line = f"{key} = {_value(value)}"
        comment = _COMMENTS.get(key) if name == "data.fields" else None
        lines.append(line if comment is None else f"{line:<35} # {comment}")
    return "\n".join([*lines, *([note] if note else [])]) + "\n"


def _not_used(columns: Any) -> str:
    return f"# not used: {', '.join(columns)}" if columns else ""


def _value(value: Any) -> str:
    """A string, a list of strings or a table of these as TOML."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(key)} = {_value(each)}' for key, each in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
