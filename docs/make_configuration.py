"""Writes docs/reference/configuration.md from the classes of the configuration; a test compares.

A key is described by the attributes in the docstring of its class. Run ``make docs``.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from recsys.comparison.config import ComparisonConfig
from recsys.config import Config
from recsys.config_faults import sections_in
from recsys.pipeline.config import RunConfig
from recsys.tuning.config import StudyConfig, VariantStudyConfig

PAGE = Path(__file__).with_name("reference") / "configuration.md"
ROOTS: dict[str, type[Config]] = {
    "A run": RunConfig,
    "A comparison of encoders": ComparisonConfig,
    "A search of hyper-parameters": StudyConfig,
    "A list of variants": VariantStudyConfig,
}
COMMANDS: dict[type[Config], str] = {
    RunConfig: "`recsys run CONFIG` and the commands of its stages",
    ComparisonConfig: "`recsys compare-embeddings CONFIG`",
    StudyConfig: "`recsys tune CONFIG`, a file with a section `space`",
    VariantStudyConfig: "`recsys tune CONFIG`, a file with `[[variants]]`",
}
TAGS = ("name", "kind", "format", "protocol", "stage")
TYPES: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    Any: "any value",
    Path: "path",
    date: "date",
    datetime: "date and time",
}
BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
OPENING = """\
# Configuration

Every key of the configuration files: its type, its default and its meaning. `make docs` writes this
page from the code.

A file is TOML. An unknown key is an error that names the nearest known one. Paths are relative to
the folder of the file; `data:NAME/FILE` is a [data set by name](data-formats.md#data-sets-by-name).
Where a section has several forms, one key selects the form, such as `format = "csv"`.
"""


class Section(NamedTuple):
    """A class of the configuration at the first path where it occurs."""

    kind: type[Config]
    path: str

    @property
    def title(self) -> str:
        """Heading of the section."""
        tag = _tag(self.kind)
        form = f', `{tag[0]} = "{tag[1]}"`' if tag else ""
        return f"`{self.path}`{form}"


def reference() -> str:
    """Text of the page."""
    sections = _sections()
    links = _links(sections)
    parts = [OPENING]
    for section in sections:
        kind = section.kind
        if section.path:
            parts.append(f"### {section.title}\n\n{_summary(kind)}\n")
        else:
            name = next(name for name, root in ROOTS.items() if root is kind)
            parts.append(f"## {name}\n\nFile of {COMMANDS[kind]}.\n")
        keys = list(_keys(kind, links))
        parts.append("\n".join(_table(keys)) + "\n" if keys else "No further keys.\n")
    return "\n".join(parts)


def table_of(kind: type[BaseModel]) -> str:
    """The table of the keys of one class, without links to those that it nests."""
    return "\n".join(_table(list(_keys(kind, {})))) + "\n"


def undescribed() -> list[str]:
    """Keys whose class does not describe them."""
    return [
        f"{each.kind.__name__}.{key}"
        for each in _sections()
        for key in each.kind.model_fields
        if (_tag(each.kind) or ("",))[0] != key and key not in _descriptions(each.kind)
    ]


def _sections() -> list[Section]:
    """Every class once, at the first path that reaches it, each followed by those that it nests."""
    found: dict[type[Config], Section] = {}

    def visit(kind: type[Config], path: str) -> None:
        if kind in found:
            return
        found[kind] = Section(kind, path)
        for key, field in kind.model_fields.items():
            for nested in sections_in(field.annotation):
                if issubclass(nested, Config):
                    visit(nested, f"{path}.{key}" if path else key)

    for root in ROOTS.values():
        visit(root, "")
    return list(found.values())


def _links(sections: list[Section]) -> dict[type[Config], str]:
    """Link to the heading of each section; GitHub numbers the anchors of equal headings."""
    links: dict[type[Config], str] = {}
    used: Counter[str] = Counter()
    for section in sections:
        name = section.title if section.path else next(iter(ROOTS))
        anchor = re.sub(r"[^\w -]", "", name.lower()).replace(" ", "-")
        repeated = f"-{used[anchor]}" if used[anchor] else ""
        links[section.kind] = f"[{_label(section.kind)}](#{anchor}{repeated})"
        used[anchor] += 1
    return links


def _label(kind: type[Config]) -> str:
    field = kind.model_fields.get("name")
    if (tag := _tag(kind)) is not None:
        return tag[1]
    if field is not None and get_origin(field.annotation) is Literal:
        return ", ".join(get_args(field.annotation))
    return "section"


def _tag(kind: type[BaseModel]) -> tuple[str, str] | None:
    """The key and the value that select this form of a section."""
    for key in TAGS:
        field = kind.model_fields.get(key)
        values = get_args(field.annotation) if field is not None else ()
        if field is not None and get_origin(field.annotation) is Literal and len(values) == 1:
            return key, values[0]
    return None


def _table(keys: list[tuple[str, str, str, str]]) -> Iterator[str]:
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    for key in keys:
        yield "| " + " | ".join(key) + " |"


def _keys(
    kind: type[BaseModel], links: dict[type[Config], str]
) -> Iterator[tuple[str, str, str, str]]:
    tag, described = _tag(kind), _descriptions(kind)
    own = inspect.get_annotations(kind)
    for key, field in sorted(kind.model_fields.items(), key=lambda item: item[0] not in own):
        if tag is None or key != tag[0]:
            yield f"`{key}`", _type(field, links), _default(field), described.get(key, "")


def _type(field: FieldInfo, links: dict[type[Config], str]) -> str:
    nested = [kind for kind in sections_in(field.annotation) if kind in links]
    text = _annotation(field.annotation, links)
    bounds = [
        f"{word} {getattr(each, name):,.10g}"
        for each in field.metadata
        for name, word in BOUNDS.items()
        if getattr(each, name, None) is not None
    ]
    return text if nested or not bounds else f"{text}, {' and '.join(bounds)}"


def _annotation(annotation: Any, links: dict[type[Config], str]) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation in TYPES:
        return TYPES[annotation]
    if origin is Annotated:
        return _annotation(inner[0], links)
    if origin is Literal:
        return " or ".join(f'`"{value}"`' for value in inner)
    if origin in (Union, UnionType):
        kinds = [_annotation(each, links) for each in inner if each is not NoneType]
        return " or ".join(dict.fromkeys(kinds))
    if origin is tuple:
        return f"list: {_annotation(inner[0], links)}"
    if origin is dict:
        return f"table: {_annotation(inner[1], links)} by name"
    return links.get(annotation, "inline table")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Config):
        tag = _tag(type(value))
        return f"`{tag[1]}`" if tag else "its defaults"
    if value is None or value in ("", (), {}):
        return "none" if value is None else "empty"
    return f"`{_toml(value)}`" if isinstance(value, str | int | float | tuple) else "its defaults"


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, Config):
        tag = _tag(type(value))
        return tag[1] if tag else "section"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _summary(kind: type[Config]) -> str:
    return _prose(_own_doc(kind).split("\n\n")[0]).replace("\n", " ")


def _descriptions(kind: type[BaseModel]) -> dict[str, str]:
    """Description of each key, from the docstrings of the class and of those it inherits from."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        section = re.search(r"^Attributes:\n((?:    .*\n?|\n)+)", _own_doc(base), re.MULTILINE)
        for entry in re.split(r"\n(?=    \w)", section[1].rstrip()) if section else []:
            key, _, text = entry.strip().partition(":")
            found[key] = _prose(" ".join(text.split()))
    return found


def _own_doc(kind: type) -> str:
    return inspect.cleandoc(vars(kind).get("__doc__") or "")


def _prose(text: str) -> str:
    """Markdown of reStructuredText: roles and double backticks become code; bars are escaped."""
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")
    return re.sub(r"\bNone\b", "none", text).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
