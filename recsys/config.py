"""Typed configuration: a frozen base class that refuses unknown keys, and a TOML reader.

Each part of the library declares its own section as a subclass of :class:`Config`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from recsys.config_faults import explain
from recsys.errors import ConfigError, suggestion

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ConfigT = TypeVar("ConfigT", bound="Config")


class Config(BaseModel):
    """A frozen section of configuration.

    Example:
        >>> class Towers(Config):
        ...     dimension: int = 64
        >>> parse_config({"dimensoin": 32}, Towers)
        Traceback (most recent call last):
        ...
        recsys_client.errors.ConfigError: unknown key 'dimensoin': did you mean 'dimension'?
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def load_config(path: Path, kind: type[ConfigT]) -> ConfigT:
    """Read a TOML file into ``kind``.

    Raises:
        ConfigError: The file is missing, is not TOML, or does not fit ``kind``.
    """
    return parse_config(read_toml(path), kind, source=str(path))


def read_toml(path: Path) -> dict[str, Any]:
    """The values of a TOML file, not validated.

    Raises:
        ConfigError: The file is missing or is not TOML.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows editors begin a file with a mark
    except OSError as error:
        near = suggestion(path.name, sorted(each.name for each in path.parent.glob("*.toml")))
        raise ConfigError(
            f"cannot read the configuration {path}: {error.strerror}{near}"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: {error}") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error


def parse_config(values: Mapping[str, Any], kind: type[ConfigT], *, source: str = "") -> ConfigT:
    """Validate ``values`` as ``kind``; each fault is reported with its key and a remedy.

    Raises:
        ConfigError: At least one fault; ``field`` is the path of the first.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        message, field = explain(error.errors(), values, kind)
        where = f"{source}: " if source else ""
        raise ConfigError(where + message, field=field) from None


def seeded(section: ConfigT, seed: int) -> ConfigT:
    """``section`` with ``seed`` wherever it or a nested section has no seed of its own.

    Example:
        >>> class Drawn(Config):
        ...     seed: int = 0
        >>> seeded(Drawn(), 5).seed, seeded(Drawn(seed=7), 5).seed
        (5, 7)
    """
    changes: dict[str, Any] = {}
    for name, value in section:
        parts = value if isinstance(value, tuple) else (value,)
        fresh = tuple(seeded(part, seed) if isinstance(part, Config) else part for part in parts)
        if any(new is not old for new, old in zip(fresh, parts)):
            changes[name] = fresh if isinstance(value, tuple) else fresh[0]
    if "seed" in type(section).model_fields and "seed" not in section.model_fields_set:
        changes["seed"] = seed
    return section.model_copy(update=changes) if changes else section
