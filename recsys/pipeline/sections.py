"""File settings: the keys of a configuration that name files, and where these files are."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from recsys.config import Config
from recsys.encoders import JoinedConfig
from recsys.encoders.bert.config import PRESET
from recsys.pipeline.job import Job

FILE_KEYS = ("path", "file", "weights", "corpus", "files", "model")
"""Keys of a section that name files or folders."""


def external_files(job: Job, **sections: Config | None) -> dict[str, Path]:
    """The external files of some sections, by a name that does not depend on their location."""
    found: dict[str, Path] = {}
    for name, section in sections.items():
        values = {} if section is None else section.model_dump()
        for prefix, owner in _with_parts(name, values):
            for key in FILE_KEYS:
                value = owner.get(key)
                named = value if isinstance(value, dict) else {key: value}
                found |= {
                    f"{prefix}.{part}": job.path(path)
                    for part, path in named.items()
                    if _is_external(path)
                }
    return found


def resolve_files(job: Job, section: Any) -> Any:
    """An encoder's section, and those of its parts, with absolute paths."""
    if isinstance(section, JoinedConfig):
        parts = tuple(resolve_files(job, part) for part in section.parts)
        return section.model_copy(update={"parts": parts})
    named = {key: getattr(section, key, None) for key in FILE_KEYS}
    found = {key: type(path)(job.path(path)) for key, path in named.items() if _is_external(path)}
    return section.model_copy(update=found)


def rebase_paths(values: Mapping[str, Any], *, old: Path, new: Path) -> dict[str, Any]:
    """The values of a run's TOML file, rewritten for a file in the folder ``new``.

    Example:
        >>> log = {"format": "csv", "path": "log.csv"}
        >>> values = {"data": {"interactions": log}}
        >>> moved = rebase_paths(values, old=Path("configs"), new=Path("runs/best"))
        >>> moved["data"]["interactions"]["path"]
        '../../configs/log.csv'
    """

    def rebase(path: Any) -> Any:
        named = not isinstance(path, str) or path.startswith(("data:", "package:", "~"))
        if named or not _is_external(path) or Path(path).is_absolute():
            return path
        return Path(os.path.relpath(old / path, new)).as_posix()

    moved = copy.deepcopy(dict(values))
    data, evaluation, ranker = (moved.get(name) or {} for name in ("data", "evaluation", "ranker"))
    owners = [data.get(name) for name in ("interactions", "items", "searches")]
    owners += [moved.get(name) for name in ("text", "image")]
    for section in [each for each in owners if isinstance(each, dict)]:
        for _, owner in _with_parts("", section):
            _apply(rebase, owner, FILE_KEYS)
    _apply(rebase, data, ("pictures", "user_vectors"))
    _apply(rebase, evaluation, ("oracle",))
    _apply(rebase, ranker, ("impressions",))
    return moved


def _with_parts(name: str, section: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A section and the sections of its parts, with their names."""
    yield name, section
    for at, part in enumerate(section.get("parts", ())):
        yield f"{name}.parts.{at}", part


def _apply(change: Callable[[Any], Any], owner: dict[str, Any], keys: tuple[str, ...]) -> None:
    """Change the paths under some keys, also in dictionaries and lists."""
    for key in keys:
        value = owner.get(key)
        if isinstance(value, dict):
            owner[key] = {name: change(path) for name, path in value.items()}
        elif isinstance(value, list):
            owner[key] = [change(path) for path in value]
        elif value is not None:
            owner[key] = change(value)


def _is_external(value: Any) -> TypeGuard[str | Path]:
    """Whether a value of such a key is a file or a folder, not a keyword of the encoder."""
    return value not in (None, "imagenet", "none") and not str(value).startswith(PRESET)
