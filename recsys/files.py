"""Files and folders that are there whole or not at all, their digests, and locks.

Each is written under a temporary name next to its place, brought to the disk and renamed. Readers
see the old content or the new one; a process killed at any moment, or a full disk, leaves the old
one. Concurrent writers do not disturb each other: the last one to finish wins.

Functions raise ``OSError`` where the disk refuses and ``ValueError`` where a content is damaged;
callers translate both into their own errors.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import io
import json
import os
import shutil
import stat
import time
import uuid
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import filelock
import numpy as np
import numpy.typing as npt
import tomli_w

from recsys.errors import ConfigError, DataError

LOCK = ".lock"
"""Usual name of the lock file of a folder."""
_PART = ".part-"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; at the end of the block it replaces ``path``.

    The temporary path has the same suffix and folder, which is made. An exception inside the block
    leaves ``path`` as it was.

    Raises:
        OSError: The file cannot be written.

    Example:
        >>> import tempfile; path = Path(tempfile.mkdtemp()) / "a.txt"
        >>> with atomic_file(path) as part:
        ...     _ = part.write_text("all of it")
        >>> path.read_text()
        'all of it'
    """
    part = _part_of(path)
    try:
        yield part
        sync(part)
        os.replace(part, path)
        sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def atomic_folder(
    folder: Path, *, existing: Literal["replace", "keep"] = "replace"
) -> Iterator[Path]:
    """Give an empty temporary folder to fill; at the end of the block it becomes ``folder``.

    Args:
        folder: The folder; the one above it is made.
        existing: What happens to a folder of this name with content.

    Raises:
        OSError: The folder cannot be written, or ``folder`` is a file.
    """
    part = _part_of(folder)
    part.mkdir()
    try:
        yield part
        replace_folder(part, folder, existing=existing)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def replace_folder(
    fresh: Path, folder: Path, *, existing: Literal["replace", "keep"] = "replace"
) -> None:
    """Rename ``fresh`` to ``folder`` durably, and remove the one of the two that is not needed.

    Both must be on one file system. Where it can exchange two names (the usual ones of Linux can),
    ``folder`` is there at every moment.

    Raises:
        OSError: The folder cannot be written, or ``folder`` is a file.
    """
    sync_tree(fresh)
    unneeded = None
    try:
        os.rename(fresh, folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        unneeded = _part_of(folder)
        if existing == "keep" or _exchange(fresh, folder):
            os.rename(fresh, unneeded)
        else:
            os.rename(folder, unneeded)
            os.rename(fresh, folder)
    for parent in {fresh.parent, folder.parent}:
        sync(parent)
    if unneeded is not None:
        shutil.rmtree(unneeded, ignore_errors=True)


def remove_abandoned(folder: Path, *, seconds: float = 24 * 3600) -> None:
    """Remove what writers in ``folder`` left when they were killed.

    Args:
        folder: The folder.
        seconds: Age from which a temporary file or folder is considered abandoned. 0 is for the
            holder of the lock of all writers.
    """
    for part in folder.glob(f"{_PART}*"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime >= seconds:
                shutil.rmtree(part) if part.is_dir() else part.unlink()


def sync(path: Path) -> None:
    """Bring a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Bring everything in a folder to the disk, then the folder itself."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if not path.is_symlink():
            sync(path)
    sync(folder)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def read_regular(path: Path, *, limit: int) -> bytes:
    """The content of a regular file; it never waits, as opening a pipe does.

    Args:
        path: The file, or a link to it.
        limit: Largest number of bytes.

    Raises:
        OSError: The file cannot be read, or is a pipe, a folder or a device.
        ValueError: The file is larger than ``limit``.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if status.st_size > limit:
            raise ValueError(f"it has {status.st_size:,} bytes, more than {limit:,}")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(descriptor)


def read_json(path: Path, *, limit: int = 1 << 30) -> Any:
    """The value in a JSON file of at most ``limit`` bytes.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not JSON in UTF-8, or is larger.
    """
    try:
        text = read_regular(path, limit=limit).decode("utf-8")
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"JSON has no number {name!r}")


def write_json(path: Path, content: Any) -> None:
    """Write a JSON value atomically.

    Raises:
        DataError: The content cannot be JSON: it holds an unknown type or a non-finite number.
    """
    try:
        text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path.name} cannot be written as JSON: {error}") from error
    write_text(path, text + "\n")


def write_toml(path: Path, content: Mapping[str, Any], *, comment: str = "") -> None:
    """Write TOML atomically, after a comment of one or more lines.

    Raises:
        DataError: The content cannot be TOML.
    """
    opening = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    try:
        text = tomli_w.dumps(content)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path.name} cannot be written as TOML: {error}") from error
    write_text(path, f"{opening}\n{text}" if opening else text)


def load_arrays(source: Path | bytes) -> dict[str, npt.NDArray[Any]]:
    """All arrays of an ``.npz`` file or its bytes, without pickle.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no whole ``.npz`` file, or holds Python objects.

    Example:
        >>> buffer = io.BytesIO(); np.savez(buffer, ones=np.ones(2))
        >>> load_arrays(buffer.getvalue())["ones"].tolist()
        [1.0, 1.0]
    """
    content = source if isinstance(source, bytes) else source.read_bytes()
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, AttributeError, OSError) as error:
        raise ValueError(f"no whole .npz file: {error}") from error


def save_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write an ``.npz`` file atomically, without pickle.

    Raises:
        ValueError: An array holds Python objects.
    """
    with atomic_file(path) as part, part.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def sha256_file(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sha256_bytes(*parts: bytes | memoryview) -> str:
    """SHA-256 of bytes, one part after the other, in hex."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def sha256_json(value: Any) -> str:
    """SHA-256 of a JSON value in hex; the order of keys does not matter.

    Example:
        >>> sha256_json({"a": 1, "b": 2}) == sha256_json({"b": 2, "a": 1})
        True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256_bytes(text.encode())


@contextmanager
def lock(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock file ``path`` during the block; its folder is made.

    No two processes or threads hold it at once. The operating system frees the lock of a process
    that died; the file stays.

    Args:
        path: Usually ``folder / LOCK``.
        wait: Whether to wait for another holder.

    Raises:
        ConfigError: Another process holds it and ``wait`` is False; the message names the process.

    Example:
        >>> import tempfile
        >>> with lock(Path(tempfile.mkdtemp()) / LOCK):
        ...     pass
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    held = filelock.FileLock(path)
    try:
        held.acquire(blocking=wait)
    except filelock.Timeout:
        holder = path.read_text(encoding="utf-8", errors="replace").strip() or "unknown"
        raise ConfigError(
            f"another run (process {holder}) is at work in {path.parent}; wait for it, stop it, or "
            "give this one another name or another --runs folder"
        ) from None
    try:
        path.write_text(f"{os.getpid()}\n", encoding="utf-8")
        yield
    finally:
        held.release()


def _part_of(path: Path) -> Path:
    """A new temporary path for ``path``; what dead writers left in the folder is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path.parent)
    return path.with_name(f"{_PART}{uuid.uuid4().hex[:12]}-{path.name}")


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two names in one step; False where the system or the file system cannot."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    names = os.fsencode(first), os.fsencode(second)
    if renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.EXDEV):
        return False
    raise OSError(code, os.strerror(code), str(second))
