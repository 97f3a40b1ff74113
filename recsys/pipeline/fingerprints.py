"""Fingerprints of files, which depend on content and never on a file's date or location."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.errors import DataError
from recsys.files import sha256_file, sha256_json


def fingerprint_path(path: Path) -> str:
    """Fingerprint of a file, or of all files in a folder with their relative names."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return sha256_json({str(file.relative_to(path)): _content(file) for file in files})
    if not path.is_file():
        raise DataError(f"expected a file or a folder at {path}; there is nothing")
    return sha256_json(_content(path))


def fingerprint_paths(paths: Mapping[str, Path]) -> dict[str, str]:
    """Fingerprint of each path, by name."""
    return {name: fingerprint_path(path) for name, path in sorted(paths.items())}


def _content(file: Path) -> list[Any]:
    try:
        return [file.stat().st_size, sha256_file(file)]
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}") from error
