"""Dotted keys of a run's configuration: which of them a study may change, and how they are set.

Where a section has several kinds (a history, a loss), a key may exist in some of them only. It is
then set where the chosen kind has it and ignored elsewhere.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from recsys.config_faults import sections_in
from recsys.errors import ConfigError
from recsys.pipeline import RunConfig

Section = type[BaseModel]
Values = dict[str, Any]
SEARCHABLE = ("towers", "train", "text", "image", "attributes")
"""Sections that a trial may change. The others define the data and the figure, or affect neither
the training nor its figure."""
FIXED = ("seed",)


def check_key(key: str) -> None:
    """Check that a trial may change a dotted key.

    Raises:
        ConfigError: No section has it, or trials that differ in it cannot be compared.
    """
    first, last = key.split(".")[0], key.split(".")[-1]
    if first in RunConfig.model_fields and first not in SEARCHABLE:
        raise ConfigError(
            f"'{key}' cannot be searched: trials are compared on one data set, one split and one"
            f" figure; expected a key of {', '.join(SEARCHABLE)}",
            field=f"space.{key}",
        )
    if last in FIXED:
        raise ConfigError(
            f"'{key}' cannot be searched: the best of several seeds is luck; repeat the best"
            " configuration with other seeds instead",
            field=f"space.{key}",
        )
    if not fields_at(key):
        known = sorted(set(_every_key(RunConfig)))
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.7)
        siblings = ", ".join(sorted(_below(known, key)))
        remedy = f"did you mean '{near[0]}'?" if near else f"known keys: {siblings}"
        raise ConfigError(f"unknown key '{key}' in the space: {remedy}", field=f"space.{key}")


def fields_at(key: str) -> list[FieldInfo]:
    """Fields that a dotted key may name, one per section that has it.

    Example:
        >>> len(fields_at("train.loss.temperature")) > 1, fields_at("train.loss.temprature")
        (True, [])
    """
    *parents, last = key.split(".")
    sections: list[Section] = [RunConfig]
    for part in parents:
        fields = [each.model_fields[part] for each in sections if part in each.model_fields]
        sections = [nested for field in fields for nested in _single_sections(field.annotation)]
    return [each.model_fields[last] for each in sections if last in each.model_fields]


def number_kind(key: str) -> Literal["float", "int"] | None:
    """Kind of number that a dotted key takes; None where it takes none."""
    kinds = {kind for field in fields_at(key) for kind in _leaves(field.annotation)}
    return "float" if float in kinds else "int" if int in kinds else None


def with_changes(values: Mapping[str, Any], changes: Mapping[str, Any]) -> Values:
    """Copy of a run's values with other values at some dotted keys.

    Raises:
        ConfigError: The chosen section has no such key.
    """
    changed = deepcopy(dict(values))
    for key, value in changes.items():
        if not set_key(changed, key, deepcopy(value)):
            raise ConfigError(f"there is no key '{key}' in the section that is chosen", field=key)
    return changed


def set_key(values: Values, key: str, value: Any) -> bool:
    """Set a dotted key in the values of a run; False where the chosen section has no such key.

    A section that ``values`` do not name starts as the engine's own default.

    Example:
        >>> values = {"train": {"epochs": 3}}
        >>> set_key(values, "train.loss.temperature", 0.1), values["train"]["loss"]
        (True, {'name': 'full-softmax', 'temperature': 0.1})
        >>> set_key(values, "train.loss.no_such_key", 1)
        False
    """
    *parents, last = key.split(".")
    section: Section = RunConfig
    node = values
    for part in parents:
        field = section.model_fields.get(part)
        if field is None:
            return False
        if part not in node:
            default = field.get_default(call_default_factory=True)
            if not isinstance(default, BaseModel):
                return False
            node[part] = _tags(type(default))
        node = node[part]
        chosen = _chosen(_single_sections(field.annotation), node)
        if chosen is None:
            return False
        section = chosen
    if last not in section.model_fields:
        return False
    node[last] = value
    return True


def _chosen(sections: list[Section], values: Values) -> Section | None:
    """The section that the values belong to."""
    if len(sections) == 1:
        return sections[0]
    for section in sections:
        tags = _tags(section)
        if tags and all(values.get(name) == tag for name, tag in tags.items()):
            return section
    return None


def _tags(section: Section) -> Values:
    """Fields with a single legal word, which distinguish a section from its alternatives."""
    found = {}
    for name, field in section.model_fields.items():
        words = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
        if len(words) == 1:
            found[name] = words[0]
    return found


def _single_sections(annotation: Any) -> list[Section]:
    """Sections that a field may hold; sections in lists have no dotted key."""
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


def _every_key(section: Section, prefix: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        if (not prefix and name not in SEARCHABLE) or name in FIXED:
            continue
        yield f"{prefix}{name}"
        for nested in _single_sections(field.annotation):
            yield from _every_key(nested, f"{prefix}{name}.")


def _below(known: list[str], key: str) -> list[str]:
    """Known keys of the deepest existing section of ``key``."""
    parents = key.split(".")[:-1]
    while parents:
        prefix = ".".join(parents) + "."
        found = [each for each in known if each.startswith(prefix)]
        if found:
            return found
        parents = parents[:-1]
    return list(SEARCHABLE)
