"""The published bundles, the current one, and moving between them.

    ROOT/CURRENT            name of the current bundle; see ``activations``
    ROOT/CANARY.json        bundle of a share of the users, if there is one
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

from recsys.bundle.disk_errors import reading, writing
from recsys.bundle.manifest import check_sizes, read_named
from recsys.errors import BundleError, InvalidRequestError, NotFoundError
from recsys.files import LOCK, lock, read_json, read_regular, remove_abandoned
from recsys.retrieval import TWO_TOWER

CURRENT = "current"
POINTER, VERSIONS, STAGING = "CURRENT", "versions", "staging"
CANARY = "CANARY.json"
_STAMP = "%Y%m%dT%H%M%S"
_POINTER_BYTES = 1024
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
        fault: Fault of its manifest, its name, or the names and sizes of its files; or None.
        watermark: Sequence number of the store up to which it includes the recorded changes.
        has_report: Whether it was published with a report of its evaluation.

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
    watermark: int = 0
    has_report: bool = False


def list_bundles(root: Path) -> tuple[BundleInfo, ...]:
    """Every bundle in ``root``, the newest first; a damaged one is listed with its fault.

    Files are compared by name and size; :func:`recsys.bundle.verify` compares their digests. No
    bundle is current where the pointer is damaged.

    Raises:
        BundleError: The folder cannot be read.
    """
    with reading(root):
        try:
            pointed = _pointed(root)
        except BundleError:
            pointed = None
        return tuple(_info(root, name, name == pointed) for name in reversed(names(root)))


def current_fault(root: Path) -> str:
    """Why no bundle of ``root`` is current, as where the pointer is missing or damaged; or ""."""
    try:
        find_version(root, CURRENT)
    except (BundleError, NotFoundError) as error:
        return error.message
    return ""


def prune(root: Path, keep: int) -> tuple[str, ...]:
    """Remove all but the ``keep`` newest bundles, the current one and the canary.

    Returns:
        Names of the removed bundles.

    Raises:
        InvalidRequestError: ``keep`` is below 1.
        BundleError: The folder cannot be changed, or the pointer to the current one is damaged.
    """
    if keep < 1:
        raise InvalidRequestError(f"keep must be 1 or more; got {keep}", field="keep")
    with writing(root, action="remove bundles from"), lock(root / LOCK):
        clean(root)
        used = (_pointed(root), _canary(root))
        removed = tuple(name for name in names(root)[:-keep] if name not in used)
        for name in removed:
            # Moved away first: a bundle is there whole or not at all, even while it is deleted.
            folder_of(root, name).rename(new_staging(root))
        clean(root)
        return removed


def names(root: Path) -> list[str]:
    """Names of the bundles in ``root``, the oldest first; other files are ignored."""
    folder = root / VERSIONS
    with reading(root):
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
        raise NotFoundError(_why_none(root, known), field="version")
    if pointed not in known:
        raise BundleError(
            f"{root / POINTER} names the bundle {pointed!r:.80}, which is not there; "
            f"{_back_to(known)}"
        )
    return pointed


def next_name(known: Sequence[str], content: str) -> str:
    """A name that sorts after every known one, whatever the clock says.

    Folders that no publisher named, at the end of the year 9999 or on no day at all, stay last.
    """
    now = datetime.now(timezone.utc).replace(microsecond=0)
    for name in reversed(known):
        try:
            newest = datetime.strptime(name.partition("-")[0], _STAMP)
            now = max(now, newest.replace(tzinfo=timezone.utc) + timedelta(seconds=1))
            break
        except (ValueError, OverflowError):  # no time that a publisher gave: no day, no next second
            continue
    return f"{now.strftime(_STAMP)}-{content[:8]}"


def new_staging(root: Path) -> Path:
    """A new path in the staging folder, which is never read."""
    (root / STAGING).mkdir(parents=True, exist_ok=True)
    return root / STAGING / uuid.uuid4().hex


def clean(root: Path) -> None:
    """Remove what dead writers left behind; only for the holder of the lock."""
    shutil.rmtree(root / STAGING, ignore_errors=True)
    remove_abandoned(root, seconds=0)


def _pointed(root: Path) -> str | None:
    """The content of the pointer; None where it is missing."""
    path = root / POINTER
    try:
        return read_regular(path, limit=_POINTER_BYTES).decode("utf-8", "replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BundleError(
            f"{path} must be a small file with the name of the current bundle: {reason}; remove "
            f"it, then {_back_to(names(root))}"
        ) from error


def _canary(root: Path) -> str:
    """Name of the bundle that is the canary, or "", also where the file is damaged."""
    try:
        found = read_json(root / CANARY, limit=_POINTER_BYTES)
        return str(found["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _why_none(root: Path, known: Sequence[str]) -> str:
    if known:
        return (
            f"no bundle is current in {root}, whose {POINTER} is missing; 'recsys publish CONFIG' "
            f"publishes one, or {_back_to(known)}"
        )
    with reading(root):
        if root.is_dir():
            return f"no bundle is current in {root}; 'recsys publish CONFIG' publishes one"
        if root.exists():
            return f"{root} is a file; expected a folder of bundles, such as runs/NAME/bundles"
    return f"there is no folder of bundles at {root}; 'recsys publish CONFIG' makes one"


def _back_to(known: Sequence[str]) -> str:
    if not known:
        return "publish again: there is no bundle to roll back to"
    return f"roll back to another, such as {known[-1]}"


def _info(root: Path, name: str, current: bool) -> BundleInfo:
    folder = folder_of(root, name)
    try:
        with reading(folder):
            manifest = read_named(folder)
            check_sizes(folder, manifest.files)
    except BundleError as error:
        return BundleInfo(name, current, "", 0, 0, 0, error.message)
    spaces = manifest.spaces
    dimension = spaces.get(TWO_TOWER, next(iter(spaces.values()), 0))
    return BundleInfo(
        *(name, current, manifest.created, manifest.items, dimension, manifest.size),
        watermark=manifest.watermark,
        has_report=bool(manifest.report_files),
    )
