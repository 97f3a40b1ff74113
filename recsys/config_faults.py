"""Faults of a configuration in words: the key as it is written in the file, and what to write."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from recsys.errors import suggestion

Location = tuple[int | str, ...]
_Kind = type[BaseModel]
_NO_TABLE = ("model_type", "model_attributes_type", "dict_type")
_TAG_FAULTS = ("union_tag_invalid", "union_tag_not_found")
_CHOICES = 3
"""Number of keys that an error suggests, at most."""


def explain(faults: Sequence[Any], values: Any, kind: _Kind) -> tuple[str, str]:
    """The faults that pydantic found in ``values``, in words, and the key of the first.

    An unknown key comes first: it often explains why another one is missing.
    """
    ordered = sorted(faults, key=lambda fault: fault["type"] != "extra_forbidden")
    broken = {fault["loc"][:depth] for fault in faults for depth in range(len(fault["loc"]))}
    # A list is counted without its entries that have faults of their own.
    stated = [f for f in ordered if f["type"] != "too_short" or f["loc"] not in broken]
    lines = dict.fromkeys(_line(fault, values, kind) for fault in stated)
    return "; ".join(lines), _dotted(_written(ordered[0], values))


def sections_in(annotation: Any) -> list[type[BaseModel]]:
    """The sections that a field of this type can contain, also in lists and dictionaries.

    Example:
        >>> class Section(BaseModel):
        ...     size: int = 1
        >>> sections_in(tuple[Section, ...] | None)
        [<class 'recsys.config_faults.Section'>]
    """
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, UnionType, list, tuple, dict) or get_args(annotation):
        return [found for part in get_args(annotation) for found in sections_in(part)]
    return []


def _line(fault: Any, values: Any, kind: _Kind) -> str:
    path, given, found = _written(fault, values), fault["input"], fault["type"]
    key, sections = _dotted(path), _sections_at(kind, fault["loc"])
    if found == "extra_forbidden":
        parents = _sections_at(kind, fault["loc"][:-1])
        return f"unknown key '{key}': {_nearest_key(path, parents, kind)}"
    if found == "missing":
        return f"the key '{key}' is missing: add it{_to(path[:-1])}"
    if found in _NO_TABLE and sections:
        return f"'{key}' must be a table: {_table(str(path[-1]), given, sections)}"
    if found in _TAG_FAULTS:
        return _tag_line(key, given, sections)
    if found == "tuple_type" and not isinstance(given, Mapping) and not sections:
        return f"'{key}' must be a list: write {path[-1]} = [{_toml(given)}]"
    message: str = fault["msg"].removeprefix("Value error, ").replace("valid tuple", "valid list")
    message = message.replace("Tuple should", "List should")
    if found == "literal_error":
        message += suggestion(given, re.findall("'([^']*)'", fault["ctx"]["expected"]))
    if found == "string_pattern_mismatch":
        message += _fitting(given, fault["ctx"]["pattern"])
    prefix = f"'{key}': " if key else ""
    if found == "value_error" and isinstance(given, Mapping):
        return prefix + message
    return f"{prefix}{message} (got {given!r:.200})"


def _fitting(given: str, pattern: str) -> str:
    """The nearest text that a pattern of names, or of metrics such as ndcg@10, allows."""
    metric, _, k = given.lower().partition("@")
    near = difflib.get_close_matches(metric, re.findall(r"[a-z]+(?=[|)])", pattern), n=1)
    texts = [f"{each}@{k or 10}" for each in near]
    texts.append(re.sub(r"[^\w.-]+", "-", given, flags=re.ASCII).strip("-._"))
    fit = [text for text in texts if re.search(pattern, text)]
    return f"; did you mean '{fit[0]}'?" if fit else ""


def _tag_line(key: str, given: Any, sections: list[_Kind]) -> str:
    """A table of a union whose tag, such as ``name``, is unknown or missing."""
    tag = _tag(sections)
    names = _tagged(sections, tag)
    if tag in given:
        near = suggestion(given[tag], names)
        return f"'{key}.{tag}' must be {_either(names)}; got {given[tag]!r:.80}{near}"
    fitting = [name for name in names if given.keys() <= names[name].model_fields.keys()]
    endings = tuple(str(value).rpartition(".")[2] for value in given.values())
    first, *others = sorted(fitting or names, key=lambda name: name not in endings)
    either = f" (or {', '.join(repr(name) for name in others)})" if others else ""
    return f"'{key}' needs the key '{tag}': add {tag} = '{first}'{either}"


def _table(name: str, given: Any, sections: list[_Kind]) -> str:
    """How to write the table that is wanted instead of the single value ``given``."""
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], Mapping):
        return "write its heading in single brackets, [ ] instead of [[ ]]"
    key = "" if name.isdigit() else f'"{name}" = ' if "." in name else f"{name} = "
    tag = _tag(sections) if len(sections) > 1 else ""
    lists = [each for section in sections for each in _lists(section)]
    if not tag and isinstance(given, list) and len(lists) == 1:
        return f"write {key}{{ {lists[0]} = {_toml(given)} }}"
    if not tag:
        keys = ", ".join(sorted({key for each in sections for key in each.model_fields}))
        return f"write {key}{{ KEY = VALUE }}, with keys of {keys} (got {given!r:.80})"
    names = _tagged(sections, tag)
    text = given if isinstance(given, str) else ""
    near = [each for each in names if text.lower().endswith(f".{each}")] or (
        difflib.get_close_matches(text, names, n=1)
    )
    chosen = near[0] if near else next(iter(names))
    needed = [k for k, field in names[chosen].model_fields.items() if field.is_required()]
    # A single value that names no member, such as a file, is that of the only key needed.
    value = _toml(text) if text not in names and near and len(needed) == 1 else '"..."'
    pairs = [f'{tag} = "{chosen}"', *(f"{each} = {value}" for each in needed)]
    return f"write {key}{{ {', '.join(pairs)} }}; '{tag}' is {_either(names)}" + (
        "" if near else f" (got {given!r:.80})"
    )


def _nearest_key(path: Location, parents: list[_Kind], kind: _Kind) -> str:
    """The known key that an unknown one probably stands for, or all keys of its section."""
    name = str(path[-1])
    known = sorted({key for section in parents for key in section.model_fields})
    if near := difflib.get_close_matches(name, known, n=1):
        return f"did you mean '{near[0]}'?"
    within = _dotted(path[:-1])
    nested = [f"{within}.{each}" if within else each for each in _keys_below(parents, name)]
    elsewhere = nested or list(_keys_below([kind], name))
    if within and not nested and name in kind.model_fields:
        return f"'{name}' belongs to no section: write it above the first [section] of the file"
    least = min((each.count(".") for each in elsewhere), default=0)
    nearest = [f"'{each}'" for each in elsewhere if each.count(".") == least]
    if 0 < len(nearest) <= _CHOICES:
        return f"did you mean {' or '.join(nearest)}?"
    return f"known keys: {', '.join(known)}"


def _keys_below(sections: list[_Kind], name: str, depth: int = 4) -> Iterator[str]:
    """The paths of every key ``name`` in ``sections`` and the sections that they hold."""
    found: dict[str, None] = {}
    for section in sections if depth else ():
        for key, field in section.model_fields.items():
            if key == name:
                found[key] = None
            deeper = _keys_below(sections_in(field.annotation), name, depth - 1)
            found.update(dict.fromkeys(f"{key}.{below}" for below in deeper))
    yield from found


def _sections_at(kind: _Kind, location: Location) -> list[_Kind]:
    """The sections at a location, through nested, optional and union sections."""
    kinds = [kind]
    for part in location:
        # A part that is no key is a position of a list, a key of a dictionary or a tag.
        fields = [each.model_fields[str(part)] for each in kinds if str(part) in each.model_fields]
        if fields:
            kinds = [nested for field in fields for nested in sections_in(field.annotation)]
        else:
            kinds = [each for each in kinds if part in _tags(each).values()] or kinds
    return kinds


def _written(fault: Any, values: Any) -> Location:
    """The location in ``values``: without the tags and types that pydantic inserts."""
    path: list[int | str] = []
    value, last = values, len(fault["loc"]) - 1
    for number, part in enumerate(fault["loc"]):
        if isinstance(value, Mapping):
            absent = number == last and fault["type"] == "missing"
            if part not in value and not absent:
                continue
            value = value.get(part)
        elif isinstance(value, (list, tuple)) and isinstance(part, int):
            value = value[part]
        else:
            continue
        path.append(part)
    return tuple(path)


def _tags(section: _Kind) -> dict[str, str]:
    """The keys of a section that allow one text only, such as ``name`` of a loss."""
    return {
        key: get_args(field.annotation)[0]
        for key, field in section.model_fields.items()
        if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1
    }


def _lists(section: _Kind) -> list[str]:
    """The keys of a section that take a list of single values."""
    return [
        key
        for key, field in section.model_fields.items()
        if any(
            get_origin(each) is tuple for each in (field.annotation, *get_args(field.annotation))
        )
        and not sections_in(field.annotation)
    ]


def _tag(sections: list[_Kind]) -> str:
    """The key whose text distinguishes the sections of a union, or ""."""
    shared = [key for key in _tags(sections[0]) if all(key in _tags(each) for each in sections)]
    return shared[0] if shared else ""


def _tagged(sections: list[_Kind], tag: str) -> dict[str, _Kind]:
    return {_tags(section)[tag]: section for section in sections}


def _to(path: Location) -> str:
    return f" to [{_dotted(path)}]" if path else ""


def _dotted(path: Location) -> str:
    return ".".join(str(part) for part in path)


def _either(names: Mapping[str, object]) -> str:
    *most, last = (f"'{name}'" for name in names)
    return f"{', '.join(most)} or {last}" if most else last


def _toml(value: object) -> str:
    """A single value as in TOML, whose texts and numbers are those of JSON."""
    return json.dumps(value, ensure_ascii=False, default=str)
