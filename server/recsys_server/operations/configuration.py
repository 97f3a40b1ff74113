"""The settings of a service one by one, with the origin of each value."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from recsys.config import read_toml
from recsys_server.settings import NESTED, PREFIX, Settings

Source = Literal["default", "file", "environment", "option"]


@dataclass(frozen=True)
class ShownSetting:
    """A setting as operators see it.

    Attributes:
        name: Name, with that of its section, such as "limits.k".
        value: Value as JSON, without secrets.
        source: Origin of the value.
        variable: Environment variable that sets it.

    Example:
        >>> ShownSetting("limits.k", "200", "file", "RECSYS_SERVE_LIMITS__K").to_json()["source"]
        'file'
    """

    name: str
    value: str
    source: Source
    variable: str

    def to_json(self) -> dict[str, str]:
        """The setting as the arguments of this class."""
        return asdict(self)


def shown_settings(
    settings: Settings, options: Mapping[str, Any], file: Path | None
) -> tuple[ShownSetting, ...]:
    """The settings in the order of their class.

    Args:
        settings: Settings that were loaded from these sources.
        options: Options of the command line; None stands for an option that is not given.
        file: File of settings, or None.

    Raises:
        ConfigError: The file cannot be read.
    """
    stored = {} if file is None else read_toml(file)
    shown = settings.shown()
    variables = {name.upper(): value for name, value in os.environ.items()}
    found = []
    for path in _names(Settings):
        variable = PREFIX + NESTED.join(path).upper()
        source: Source = "default"
        if _at(options, path) is not None:
            source = "option"
        elif variable in variables or _is_in_section(variables, path):
            source = "environment"
        elif _at(stored, path) is not None:
            source = "file"
        value = json.dumps(_at(shown, path))
        found.append(ShownSetting(".".join(path), value, source, variable))
    return tuple(found)


def _names(kind: type[BaseModel], before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in kind.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from _names(section, (*before, name))
        else:
            yield (*before, name)


def _at(values: Any, path: tuple[str, ...]) -> Any:
    """Value at a path of nested mappings, None without one."""
    for name in path:
        values = values.get(name) if isinstance(values, Mapping) else None
    return values


def _is_in_section(variables: Mapping[str, str], path: tuple[str, ...]) -> bool:
    """Whether the variable of the section of a setting, which holds JSON, gives its value."""
    if len(path) == 1:
        return False
    try:
        section = json.loads(variables.get(PREFIX + path[0].upper(), "null"))
    except ValueError:
        return False
    return _at(section, path[1:]) is not None
