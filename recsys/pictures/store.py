"""Picture files in a folder or a zip archive, read by name as bytes; image encoders decode them.

A name is the path of a file below the folder, or of a member of the archive. These names are found,
too: names below the only top folder, names that begin with the name of the folder itself, names
with backslashes, and names whose accents are composed in another way (NFC and NFD).
"""

from __future__ import annotations

import os
import re
import threading
import unicodedata
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from recsys.errors import DataError

_DAMAGED = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|data:")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_BY_THE_SYSTEM = ("__MACOSX", "Thumbs.db", "desktop.ini")
_UTF8 = 0x800
"""Flag of a member of an archive whose name is stored as UTF-8."""
MAX_BYTES = 64 * 1024 * 1024
"""Larger files are refused."""
ABSENT = "not in the store"
"""Reason for which a name without a fault has no picture."""


class _NameFault(ValueError):
    """A name that no single file can have, with the reason."""


@dataclass(frozen=True, eq=False)
class PictureStore:
    """Pictures by file name, from a folder or a zip archive.

    Example:
        >>> import tempfile; folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.png").write_bytes(b"...")
        >>> store = PictureStore.open(folder)
        >>> store.read("a.png"), store.fault("b.png"), store.fault("../b.png")
        (b'...', 'not in the store', 'the name leads out of the folder of pictures')
    """

    path: Path
    _files: _Folder | _Archive

    @classmethod
    def open(cls, path: Path) -> PictureStore:
        """Open a folder or a zip archive.

        Raises:
            DataError: ``path`` is neither.
        """
        if path.is_dir():
            folder = path.resolve()
            with os.scandir(folder) as entries:
                top = _only_folder((entry.name, entry.is_dir()) for entry in entries)
            return cls(folder, _Folder(folder, top))
        if not path.is_file():
            raise DataError(f"expected a folder or a zip archive of pictures; {path} is not there")
        try:
            return cls(path.resolve(), _Archive.of(zipfile.ZipFile(path), path.resolve()))
        except (zipfile.BadZipFile, OSError) as error:
            raise DataError(f"{path} is neither a folder nor a zip archive: {error}") from error

    def read(self, name: str) -> bytes | None:
        """The bytes of one file, or None where it is missing.

        Raises:
            DataError: The name cannot be that of one file here, or the file is damaged, unreadable
                or larger than 64 MiB.
        """
        found = self._find(name)
        return None if found is None else self._files.read(name, found)

    def __contains__(self, name: str) -> bool:
        """Whether there is a file of that name; it may be damaged.

        Raises:
            DataError: The name cannot be that of one file here.
        """
        return self._find(name) is not None

    def fault(self, name: str) -> str | None:
        """Reason for which ``name`` gives no picture, or None; contents are not read."""
        try:
            found = self._files.find(name)
        except _NameFault as error:
            return str(error)
        return ABSENT if found is None else None

    def _find(self, name: str) -> str | None:
        try:
            return self._files.find(name)
        except _NameFault as error:
            raise DataError(f"picture {name!r:.80}: {error} ({self.path})") from None


@dataclass(frozen=True, eq=False)
class _Folder:
    """Files below a folder.

    Attributes:
        path: The folder, resolved.
        top: Name of its only folder if it holds nothing else, or "".
    """

    path: Path
    top: str
    _listings: dict[Path, Mapping[str, list[str]]] = field(default_factory=dict, repr=False)

    def find(self, name: str) -> str | None:
        """Path of the file of that name, or None."""
        try:
            for spelling in _spellings(name, self.path.name, self.top):
                file = (self.path / spelling).resolve()
                if not file.is_relative_to(self.path):
                    kind = "is absolute and " if PurePosixPath(name).is_absolute() else ""
                    raise _NameFault(f"the name {kind}leads out of the folder of pictures")
                if not file.is_file() and not name.isascii():
                    file = self._composed(PurePosixPath(spelling)).resolve()
                if file.is_file() and file.is_relative_to(self.path):
                    return str(file)
        except _NameFault:
            raise
        except (ValueError, OSError, RuntimeError) as error:  # a zero byte, length, circle of links
            reason = getattr(error, "strerror", None) or error
            raise _NameFault(f"the name cannot be a file's: {reason}") from error
        return None

    def _composed(self, name: PurePosixPath) -> Path:
        """The file whose name has the same characters, however its accents are composed."""
        found = self.path
        for part in name.parts:
            if not (found / part).exists():
                part = _the_only(self._listing(found).get(_nfc(part), ()), part)
            found = found / part
        return found

    def _listing(self, folder: Path) -> Mapping[str, list[str]]:
        if folder not in self._listings:
            names = sorted(os.listdir(folder)) if folder.is_dir() else []
            self._listings[folder] = _by_form(names)
        return self._listings[folder]

    def read(self, name: str, found: str) -> bytes:
        """The bytes of a file that was found."""
        try:
            _check_size(name, os.stat(found).st_size)
            return Path(found).read_bytes()
        except OSError as error:
            raise DataError(f"picture {name!r:.80} cannot be read: {error.strerror}") from error


@dataclass(frozen=True, eq=False)
class _Archive:
    """Members of a zip archive, by their names with "/" as the separator."""

    path: Path
    top: str
    archive: zipfile.ZipFile
    members: Mapping[str, zipfile.ZipInfo]
    forms: Mapping[str, list[str]]
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, archive: zipfile.ZipFile, path: Path) -> _Archive:
        """The files of an archive."""
        members = {_member_name(info): info for info in archive.infolist() if not info.is_dir()}
        parts = ((name.partition("/")[0], "/" in name) for name in members)
        return cls(path, _only_folder(parts), archive, members, _by_form(members))

    def find(self, name: str) -> str | None:
        """Name of the member, or None."""
        if name.startswith("/"):
            raise _NameFault("the name is absolute; names start from the top of the archive")
        for spelling in _spellings(name, self.path.stem, self.top):
            if spelling in self.members:
                return spelling
            if not name.isascii() and _nfc(spelling) in self.forms:
                return _the_only(self.forms[_nfc(spelling)], spelling)
        return None

    def read(self, name: str, found: str) -> bytes:
        """The bytes of a member that was found."""
        with self.lock:
            try:
                _check_size(name, self.members[found].file_size)
                return self.archive.read(self.members[found])
            except _DAMAGED as error:
                raise DataError(f"{self.path}: '{name}' is damaged: {error}") from error


def _spellings(name: str, folder: str, top: str) -> Iterator[str]:
    """The names that ``name`` can have, the exact one first."""
    if _URL.match(name):
        raise _NameFault("the name is a URL; save the picture as a file and name that")
    if _DRIVE.match(name):
        raise _NameFault("the name is absolute and leads out of the folder of pictures")
    yield name
    plain = name.replace("\\", "/").removeprefix("./")
    if plain != name:
        yield plain
    if plain.startswith(f"{folder}/"):
        yield plain.removeprefix(f"{folder}/")
    if top and not plain.startswith("/"):
        yield f"{top}/{plain}"


def _the_only(names: Iterable[str], name: str) -> str:
    """The one of ``names``, or ``name`` where there is none."""
    found = list(names)
    if len(found) > 1:
        raise _NameFault(
            f"the name is ambiguous: {len(found)} files differ from it only in how their accents "
            "are composed (NFC, NFD); rename them"
        )
    return found[0] if found else name


def _only_folder(entries: Iterable[tuple[str, bool]]) -> str:
    """Name of the folder if there is nothing else, or ""; entries are names, and if a folder's."""
    first = ""
    for name, is_folder in entries:
        if name.startswith(".") or name in _BY_THE_SYSTEM:
            continue
        if not is_folder or first not in ("", name):
            return ""
        first = name
    return first


def _member_name(info: zipfile.ZipInfo) -> str:
    """The name of a member; macOS stores UTF-8 without its flag."""
    name = info.filename
    if not info.flag_bits & _UTF8 and not name.isascii():
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/").removeprefix("./")


def _by_form(names: Iterable[str]) -> Mapping[str, list[str]]:
    forms: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if not name.isascii():
            forms[_nfc(name)].append(name)
    return dict(forms)


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _check_size(name: str, size: int) -> None:
    if size > MAX_BYTES:
        raise DataError(f"picture '{name}' has {size:,} bytes; at most {MAX_BYTES:,} are read")
