"""Sections of a configuration that name files: which files those are, and where they lie."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from recsys.config import Config
from recsys.encoders import JoinedConfig
from recsys.encoders.bert.config import PRESET
from recsys.pipeline.job import Job

FILE_KEYS = ("path", "file", "weights", "corpus", "files", "model")
"""Keys of a section that name files or folders."""


def external_files(job: Job, **sections: Config | None) -> dict[str, Path]:
    """The outside files of some sections, by a name that does not depend on where they are."""
    found = {}
    for name, section in [*sections.items(), *_parts(sections)]:
        for key in FILE_KEYS if section is not None else ():
            value = getattr(section, key, None)
            named = value.items() if isinstance(value, dict) else [(key, value)]
            for part, path in named:
                if _outside(path):
                    found[f"{name}.{part}"] = job.path(path)
    return found


def resolve_files(job: Job, section: Any) -> Any:
    """An encoder's section with its file or folder, and those of its parts, where they are."""
    if isinstance(section, JoinedConfig):
        parts = tuple(resolve_files(job, part) for part in section.parts)
        return section.model_copy(update={"parts": parts})
    named = {key: getattr(section, key, None) for key in ("file", "weights", "corpus", "model")}
    given = {key: path for key, path in named.items() if _outside(path)}
    found = {key: type(path)(job.path(path)) for key, path in given.items()}
    return section.model_copy(update=found)


def rebase_paths(values: Mapping[str, Any], *, old: Path, new: Path) -> dict[str, Any]:
    """The values of a run's TOML file as they must be written in another folder.

    Args:
        values: As they stand in a file in the folder ``old``; they fit.
        old: Where relative paths start from.
        new: Where they will start from.

    Example:
        >>> log = {"format": "csv", "path": "log.csv"}
        >>> values = {"data": {"interactions": log}}
        >>> told = rebase_paths(values, old=Path("configs"), new=Path("runs/best"))
        >>> told["data"]["interactions"]["path"]
        '../../configs/log.csv'
    """
    own = copy.deepcopy(dict(values))
    for section, key in _file_places(own):
        path = section[key]
        if isinstance(path, dict):
            section[key] = {name: _moved(each, old, new) for name, each in path.items()}
        elif isinstance(path, list):
            section[key] = [_moved(each, old, new) for each in path]
        else:
            section[key] = _moved(path, old, new)
    return own


def _file_places(values: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    data = values["data"]
    owners = [data.get(name) for name in ("interactions", "items", "searches")]
    owners += [values.get(name) for name in ("text", "image")]
    for section in [each for each in owners if each is not None]:
        for part in (section, *section.get("parts", ())):
            yield from ((part, key) for key in FILE_KEYS if key in part)
    yield from ((data, key) for key in ("pictures", "user_vectors") if key in data)
    if "oracle" in values.get("evaluation", {}):
        yield values["evaluation"], "oracle"


def _moved(path: Any, old: Path, new: Path) -> Any:
    named = not isinstance(path, str) or path.startswith(("data:", "package:", "~"))
    if named or not _outside(path) or Path(path).is_absolute():
        return path
    return Path(os.path.relpath(old / path, new)).as_posix()


def _parts(sections: Mapping[str, Config | None]) -> list[tuple[str, Config | None]]:
    """The sections of encoders that other encoders are made of."""
    return [
        (f"{name}.parts.{at}", part)
        for name, section in sections.items()
        if isinstance(section, JoinedConfig)
        for at, part in enumerate(section.parts)
    ]


def _outside(value: Any) -> TypeGuard[str | Path]:
    """Whether a value of such a key is a file or folder, and not a word that the encoder knows."""
    return value not in (None, "imagenet", "none") and not str(value).startswith(PRESET)
