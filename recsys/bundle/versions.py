"""The published bundles, the current one, and moving between them.

    ROOT/CURRENT            name of the current bundle
    ROOT/versions/NAME/     one folder per bundle
    ROOT/staging/           bundles that are being written or removed; never read

Names begin with the time of publishing, so they sort by it, and end with a digest of the content.
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from recsys.bundle.manifest import read_manifest, read_whole
from recsys.errors import BundleError, InvalidRequestError, NotFoundError
from recsys.files import LOCK, lock, remove_abandoned, write_text
from recsys.retrieval import TWO_TOWER

CURRENT = "current"
POINTER, VERSIONS, STAGING = "CURRENT", "versions", "staging"
_STAMP = "%Y%m%dT%H%M%S"
_NAME = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")


@dataclass(frozen=True)
class BundleInfo:
    """Summary of a bundle.

    Attributes:
        version: Name of the bundle.
        current: Whether it is opened by default.
        created: Time of publishing, ISO 8601 in UTC; "" where the manifest is damaged.
        items: Number of items in the catalogue.
        dimension: Dimension of the towers' space, or of the first space; 0 without spaces.
        size: Number of bytes of its files.
        fault: Fault of its manifest, or None.

    Example:
        >>> BundleInfo("20260101T120000-0123abcd", True, "2026-01-01T12:00:00Z", 9, 4, 100).fault
    """

    version: str
    current: bool
    created: str
    items: int
    dimension: int
    size: int
    fault: str | None = None


def list_bundles(root: Path) -> tuple[BundleInfo, ...]:
    """Every bundle in ``root``, the newest first; a damaged one is listed with its fault."""
    pointed = _pointed(root)
    return tuple(_info(root, name, name == pointed) for name in reversed(names(root)))


def rollback(root: Path, to: str | None = None) -> str:
    """Make another bundle current, by default the one published before; returns its name.

    It is one atomic step, after the files are checked.

    Raises:
        NotFoundError: The bundle does not exist, or none was published before the current one.
        BundleError: That bundle is damaged; the current one stays.
    """
    with lock(root / LOCK):
        if to is None:
            current = find_version(root, CURRENT)
            before = [name for name in names(root) if name < current]
            if not before:
                raise NotFoundError(f"no bundle was published before {current} in {root}")
            to = before[-1]
        name = find_version(root, to)
        read_whole(folder_of(root, name))
        point_to(root, name)
        return name


def prune(root: Path, keep: int) -> tuple[str, ...]:
    """Remove all but the ``keep`` newest bundles and the current one; returns the removed names.

    Raises:
        InvalidRequestError: ``keep`` is below 1.
    """
    if keep < 1:
        raise InvalidRequestError(f"keep must be 1 or more; got {keep}", field="keep")
    with lock(root / LOCK):
        clean(root)
        pointed = _pointed(root)
        removed = tuple(name for name in names(root)[:-keep] if name != pointed)
        for name in removed:
            # Moved away first: a bundle is there whole or not at all, even while it is deleted.
            folder_of(root, name).rename(new_staging(root))
        clean(root)
        return removed


def names(root: Path) -> list[str]:
    """Names of the bundles in ``root``, the oldest first; other files are ignored."""
    folder = root / VERSIONS
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name))


def folder_of(root: Path, name: str) -> Path:
    """Folder of a bundle."""
    return root / VERSIONS / name


def find_version(root: Path, version: str) -> str:
    """Name of an existing bundle; "current" is looked up.

    Raises:
        NotFoundError: No bundle has that name, or there is none at all.
        BundleError: The pointer to the current one is damaged.
    """
    known = names(root)
    if version != CURRENT:
        if version in known:
            return version
        listed = ", ".join(known[-5:][::-1]) or "none"
        raise NotFoundError(
            f"no bundle {version!r:.80} in {root}; the newest are: {listed}", field="version"
        )
    pointed = _pointed(root)
    if pointed is None:
        raise NotFoundError(
            f"no bundle is current in {root}; 'recsys publish CONFIG' publishes one"
            if root.is_dir()
            else f"there is no folder of bundles at {root}; 'recsys publish CONFIG' makes one",
            field="version",
        )
    if pointed not in known:
        raise BundleError(
            f"{root / POINTER} names the bundle {pointed!r:.80}, which is not there; "
            "roll back to one that is"
        )
    return pointed


def next_name(known: Sequence[str], content: str) -> str:
    """A name that sorts after every known one, whatever the clock says."""
    now = datetime.now(timezone.utc)
    if known:
        newest = datetime.strptime(known[-1].partition("-")[0], _STAMP)
        now = max(now, newest.replace(tzinfo=timezone.utc) + timedelta(seconds=1))
    return f"{now.strftime(_STAMP)}-{content[:8]}"


def point_to(root: Path, name: str) -> None:
    """Make a bundle the current one; readers see the old pointer or the new, never neither."""
    write_text(root / POINTER, f"{name}\n")


def new_staging(root: Path) -> Path:
    """A new path in the staging folder, which is never read."""
    (root / STAGING).mkdir(parents=True, exist_ok=True)
    return root / STAGING / uuid.uuid4().hex


def clean(root: Path) -> None:
    """Remove what dead writers left behind; only for the holder of the lock."""
    shutil.rmtree(root / STAGING, ignore_errors=True)
    remove_abandoned(root, seconds=0)


def _pointed(root: Path) -> str | None:
    try:
        return (root / POINTER).read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None


def _info(root: Path, name: str, current: bool) -> BundleInfo:
    try:
        manifest = read_manifest(folder_of(root, name))
    except BundleError as error:
        return BundleInfo(name, current, "", 0, 0, 0, error.message)
    spaces = manifest.spaces
    dimension = spaces.get(TWO_TOWER, next(iter(spaces.values()), 0))
    return BundleInfo(name, current, manifest.created, manifest.items, dimension, manifest.size)
