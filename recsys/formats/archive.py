"""Unpacks an untrusted zip archive: nothing outside the folder, no links, limited bytes."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from recsys.errors import DownloadError
from recsys.files import atomic_folder

MAX_FILES = 10_000
MAX_BYTES = 8 * 1024**3
"""More than any of the data sets has; larger archives are refused."""


def unpack(archive: Path, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
    """Unpack ``archive`` as ``folder``, whole or not at all; an existing folder is kept.

    Where everything is inside one top folder, that one becomes ``folder``.
    """
    try:
        with zipfile.ZipFile(archive) as source:
            members = [member for member in source.infolist() if not member.is_dir()]
            _check(members, archive, max_bytes)
            top = _top_folder(members)
            with atomic_folder(folder, existing="keep") as part:
                for member in members:
                    target = part / PurePosixPath(member.filename).relative_to(top)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with source.open(member) as packed, target.open("xb") as file:
                        shutil.copyfileobj(packed, file, 1 << 20)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DownloadError(f"{archive.name} is not a whole zip archive: {error}") from error
    except OSError as error:
        raise DownloadError(f"{archive.name} cannot be unpacked into {folder}: {error}") from error


def _top_folder(members: list[zipfile.ZipInfo]) -> str:
    """The one folder that holds everything, or "." where there is none."""
    tops = {PurePosixPath(member.filename).parts[0] for member in members}
    nested = all(len(PurePosixPath(member.filename).parts) > 1 for member in members)
    return tops.pop() if nested and len(tops) == 1 else "."


def _check(members: list[zipfile.ZipInfo], archive: Path, max_bytes: int) -> None:
    if not members:
        raise DownloadError(f"{archive.name} is empty")
    if len(members) > MAX_FILES:
        raise DownloadError(f"{archive.name} holds {len(members):,} files; at most {MAX_FILES:,}")
    size = sum(member.file_size for member in members)
    if size > max_bytes:
        raise DownloadError(
            f"{archive.name} unpacks to {size:,} bytes; at most {max_bytes:,} are taken"
        )
    for member in members:
        name = member.filename
        parts = PurePosixPath(name.replace("\\", "/")).parts
        absolute = name.startswith(("/", "\\")) or PureWindowsPath(name).drive
        if absolute or ".." in parts or not parts:
            raise DownloadError(f"{archive.name} holds '{name}', which leads out of its folder")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise DownloadError(f"{archive.name} holds the link '{name}'; links are refused")
