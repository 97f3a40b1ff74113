"""Dotted keys of a run's configuration: which may be tried, and how one of them is set.

Where a section is one of several (a history, a loss), a key may belong to some of them only. It is
then set where the section chosen has it, and left alone elsewhere.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from recsys.config import sections_in
from recsys.errors import ConfigError
from recsys.pipeline import RunConfig

Section = type[BaseModel]
Values = dict[str, Any]
TRIED = ("towers", "train", "text", "image", "attributes")
"""Parts of a run that a trial may change. The others decide what the figures are taken on, or do
not move them."""
NOT_TRIED = ("seed",)


def check_key(key: str) -> None:
    """See that a dotted key can be tried.

    Raises:
        ConfigError: No section has it, or trials that differ in it cannot be compared.
    """
    first, last = key.split(".")[0], key.split(".")[-1]
    if first in RunConfig.model_fields and first not in TRIED:
        raise ConfigError(
            f"'{key}' cannot be tried: trials are compared on one set of data, one split and one"
            f" figure; what may be tried begins with {', '.join(TRIED)}",
            field=f"space.{key}",
        )
    if last in NOT_TRIED:
        raise ConfigError(
            f"'{key}' cannot be tried: the best of several seeds is luck; repeat the best"
            " configuration with other seeds instead",
            field=f"space.{key}",
        )
    if not holders(key):
        known = sorted(set(_every_key(RunConfig)))
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.7)
        beside = sorted(_below(known, key))
        remedy = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(beside)}"
        raise ConfigError(f"unknown key '{key}' in the space: {remedy}", field=f"space.{key}")


def holders(key: str) -> list[FieldInfo]:
    """The fields that a dotted key may name, one for each section that has it.

    Example:
        >>> len(holders("train.loss.temperature")) > 1, holders("train.loss.temprature")
        (True, [])
    """
    *parents, last = key.split(".")
    sections: list[Section] = [RunConfig]
    for part in parents:
        fields = [each.model_fields[part] for each in sections if part in each.model_fields]
        sections = [nested for field in fields for nested in _single_sections(field.annotation)]
    return [each.model_fields[last] for each in sections if last in each.model_fields]


def numbers_of(key: str) -> Literal["float", "int"] | None:
    """Which numbers a dotted key takes; None where it takes none."""
    kinds = {kind for field in holders(key) for kind in _leaves(field.annotation)}
    return "float" if float in kinds else "int" if int in kinds else None


def put(values: Values, key: str, value: Any) -> bool:
    """Set a dotted key in the values of a run; False where the chosen section has no such key.

    A section that ``values`` do not name is begun as the engine's own default would be.

    Example:
        >>> values = {"train": {"epochs": 3}}
        >>> put(values, "train.loss.temperature", 0.1), values["train"]["loss"]
        (True, {'name': 'full-softmax', 'temperature': 0.1})
        >>> put(values, "train.loss.no_such_key", 1)
        False
    """
    *parents, last = key.split(".")
    section: Section = RunConfig
    at = values
    for part in parents:
        field = section.model_fields.get(part)
        if field is None:
            return False
        if part not in at:
            begun = field.get_default(call_default_factory=True)
            if not isinstance(begun, BaseModel):
                return False
            at[part] = _tags(type(begun))
        at = at[part]
        chosen = _chosen(_single_sections(field.annotation), at)
        if chosen is None:
            return False
        section = chosen
    if last not in section.model_fields:
        return False
    at[last] = value
    return True


def _chosen(sections: list[Section], values: Values) -> Section | None:
    """The section that the values are of."""
    if len(sections) == 1:
        return sections[0]
    for section in sections:
        tags = _tags(section)
        if tags and all(values.get(name) == tag for name, tag in tags.items()):
            return section
    return None


def _tags(section: Section) -> Values:
    """What tells a section from its alternatives: fields that take one word only."""
    found = {}
    for name, field in section.model_fields.items():
        words = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
        if len(words) == 1:
            found[name] = words[0]
    return found


def _single_sections(annotation: Any) -> list[Section]:
    """Sections that a field holds one of; those in lists have no dotted key."""
    if get_origin(annotation) in (tuple, list, dict):
        return []
    if isinstance(annotation, type):
        return sections_in(annotation)
    return [found for part in get_args(annotation) for found in _single_sections(part)]


def _leaves(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) in (tuple, list, dict, Literal):
        return
    if isinstance(annotation, type):
        yield annotation
    for part in get_args(annotation):
        yield from _leaves(part)


def _every_key(section: Section, before: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        if (not before and name not in TRIED) or name in NOT_TRIED:
            continue
        yield f"{before}{name}"
        for nested in _single_sections(field.annotation):
            yield from _every_key(nested, f"{before}{name}.")


def _below(known: list[str], key: str) -> list[str]:
    """Known keys of the deepest section of ``key`` that is there."""
    parents = key.split(".")[:-1]
    while parents:
        before = ".".join(parents) + "."
        found = [each for each in known if each.startswith(before)]
        if found:
            return found
        parents = parents[:-1]
    return list(TRIED)
