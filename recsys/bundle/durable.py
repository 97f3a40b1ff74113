"""Writes that survive a crash, and one writer at a time.

A rename is atomic, but what was written before it is on the disk only after an fsync of each file
and of each folder that names it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"


@contextmanager
def one_writer(root: Path) -> Iterator[None]:
    """Wait until no other process or thread writes in ``root``; the system frees a dead one's lock.

    Example:
        >>> import tempfile
        >>> with one_writer(Path(tempfile.mkdtemp())):
        ...     pass
    """
    root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sync(path: Path) -> None:
    """Bring one file, or one folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Bring everything below a folder to the disk, then the folder itself."""
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)


def move(source: Path, target: Path) -> None:
    """Rename durably, within one file system; ``target`` is replaced if it is a file."""
    os.replace(source, target)
    sync(target.parent)
    if source.parent != target.parent:
        sync(source.parent)


def write_at_once(path: Path, text: str) -> None:
    """Replace a file so that any reader, at any moment, sees the old text or the new."""
    part = path.with_name(f".{path.name}.part")
    with open(part, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    move(part, path)
