"""Which bundle is current, and the order in which bundles became current.

    ROOT/CURRENT            name of the current bundle
    ROOT/ACTIVATIONS.json   names of bundles in the order of their last activation

The order is written before the pointer, which decides: names after the current one are those of
bundles that were rolled back, or never became current. A rollback moves the pointer only.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from recsys.bundle.disk_errors import writing
from recsys.bundle.manifest import read_whole
from recsys.bundle.versions import CURRENT, POINTER, find_version, folder_of, names
from recsys.errors import NotFoundError, RecsysError
from recsys.files import LOCK, lock, read_json, write_json, write_text

ACTIVATIONS = "ACTIVATIONS.json"
_NAMES = TypeAdapter(list[str])
_KEPT = 1_000
_LARGEST = 1 << 20


def point_to(root: Path, name: str) -> None:
    """Make a bundle the current one; readers see the old pointer or the new, never neither.

    Only for the holder of the folder's lock.
    """
    before = [each for each in _activations(root) if each != name]
    write_json(root / ACTIVATIONS, [*before, name][-_KEPT:])
    write_text(root / POINTER, f"{name}\n")


def previous_version(root: Path) -> str:
    """Name of the bundle that was current before the current one, and is still there.

    Raises:
        NotFoundError: No bundle is current, or none was before.
        BundleError: The pointer to the current one is damaged.
    """
    current, known = find_version(root, CURRENT), set(names(root))
    before = [name for name in _activations(root) if name in known and name != current]
    if not before:
        raise NotFoundError(f"no bundle was current before {current} in {root}", field="version")
    return before[-1]


def rollback(root: Path, to: str | None = None) -> str:
    """Make another bundle current, by default the one that was before; returns its name.

    It is one atomic step, after the name and the files are checked. Without ``to``, each rollback
    goes one activation further back; with it, the bundle is activated as by publishing.

    Raises:
        NotFoundError: The bundle does not exist, or none was current before the current one.
        BundleError: That bundle is damaged or has another name; the current one stays.
    """
    find_version(root, CURRENT if to is None else to)  # before the lock makes the folder
    with writing(root, action="roll back in"), lock(root / LOCK):
        name = previous_version(root) if to is None else find_version(root, to)
        read_whole(folder_of(root, name))
        if to is None:
            write_text(root / POINTER, f"{name}\n")
        else:
            point_to(root, name)
        return name


def _activations(root: Path) -> list[str]:
    """Names of the bundles that were current, in the order of activation, up to the current one.

    A folder without the file, or with a damaged one, has the order of publishing.
    """
    try:
        current = find_version(root, CURRENT)
    except RecsysError:  # no bundle is current yet, or the pointer is damaged
        current = ""
    try:
        known = _NAMES.validate_python(read_json(root / ACTIVATIONS, limit=_LARGEST))
    except (OSError, ValueError):
        known = [name for name in names(root) if name < current]
    if current in known:
        return known[: known.index(current) + 1]
    return [*known, current] if current else known
