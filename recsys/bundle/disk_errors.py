"""What the disk refuses, as errors that name the folder of bundles and the remedy."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys.errors import BundleError, RecsysError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
_ALMOST_FULL = 1 << 20
"""Free bytes below which any failure to write is one of a full disk."""


@contextmanager
def reading(root: Path) -> Iterator[None]:
    """Raise errors of the disk in this block as a :class:`BundleError`."""
    try:
        yield
    except OSError as error:
        where = _where(error, root)
        raise BundleError(f"cannot read {where}: {_reason(error)}; {_remedy(error)}") from error


@contextmanager
def writing(root: Path, *, action: str) -> Iterator[None]:
    """As :func:`reading`, for a block that writes; a full disk is recognised whatever reports it.

    Args:
        root: Folder of bundles.
        action: What failed, such as "publish into".
    """
    try:
        yield
    except (RecsysError, OSError) as error:
        # A part that cannot be written is reported by its writer, with the system's error as cause.
        cause = error if isinstance(error, OSError) else error.__cause__
        if isinstance(error, BundleError) or not isinstance(cause, OSError):
            raise
        # numpy reports a short write without a code: "4096 requested and 128 written".
        full = cause.errno in _FULL or (cause.errno is None and "written" in str(cause))
        raise _failure(root, action, cause, full=full) from error
    except Exception as error:
        if not _almost_full(root):
            raise
        raise _failure(root, action, error, full=True) from error


def _failure(root: Path, action: str, error: Exception, *, full: bool) -> BundleError:
    if full:
        text = f"cannot {action} {root}: no space left on the disk; free some and repeat"
    else:
        assert isinstance(error, OSError)
        where = _where(error, root)
        detail = "" if where == str(root) else f" at {where}"
        text = f"cannot {action} {root}: {_reason(error)}{detail}; {_remedy(error)}"
    return BundleError(f"{text}. The current bundle was not changed")


def _where(error: OSError, root: Path) -> str:
    name = error.filename
    if name is None:
        return str(root)
    return os.fsdecode(name) if isinstance(name, (str, bytes, os.PathLike)) else str(root)


def _reason(error: OSError) -> str:
    return str(error) if error.errno is None else os.strerror(error.errno)


def _remedy(error: OSError) -> str:
    if error.errno in _DENIED:
        return "check the permissions of the folder and its files"
    if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
        return "remove or rename what is there"
    return "check the folder and its disk"


def _almost_full(root: Path) -> bool:
    try:
        return shutil.disk_usage(root).free < _ALMOST_FULL
    except OSError:
        return False
