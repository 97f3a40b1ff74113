"""The canary: a bundle that answers a share of the users, named in ``ROOT/CANARY.json``.

{"version": "20260101T120000-0123abcd", "share": 0.05}
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, ValidationError

from recsys.bundle.disk_errors import writing
from recsys.bundle.versions import CANARY, POINTER, find_version
from recsys.config import Config
from recsys.errors import BundleError
from recsys.files import LOCK, lock, read_json, write_json

_LARGEST = 4096


class Canary(Config):
    """A bundle for a share of the users.

    Attributes:
        version: Version of the bundle.
        share: Share of the users that it answers, above 0 and below 1.

    Example:
        >>> Canary(version="20260101T120000-0123abcd", share=0.05).share
        0.05
    """

    version: str = Field(min_length=1, max_length=80)
    share: float = Field(gt=0, lt=1)


def read_canary(root: Path) -> Canary | None:
    """The canary of a folder of bundles, or None.

    Raises:
        BundleError: The file is damaged.
    """
    path = root / CANARY
    try:
        return Canary.model_validate(read_json(path, limit=_LARGEST))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ValidationError) as error:
        reason = (
            f"{error.error_count()} wrong keys" if isinstance(error, ValidationError) else error
        )
        raise BundleError(
            f'{path} must be JSON such as {{"version": "...", "share": 0.05}}: {reason}; remove it,'
            " or set the canary again"
        ) from error


def set_canary(root: Path, canary: Canary | None) -> None:
    """Let a bundle answer a share of the users, or end the canary; services follow by themselves.

    Raises:
        NotFoundError: The bundle does not exist.
        BundleError: The folder cannot be written.
    """
    with writing(root, action="set the canary of"), lock(root / LOCK):
        if canary is None:
            (root / CANARY).unlink(missing_ok=True)
            return
        find_version(root, canary.version)
        write_json(root / CANARY, canary.model_dump())


def pointers_state(root: Path) -> tuple[tuple[int, ...], ...]:
    """A value that changes when another bundle becomes current or the canary; some microseconds."""
    return tuple(_state(root / name) for name in (POINTER, CANARY))


def _state(path: Path) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ino, found.st_size
