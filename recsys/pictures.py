"""Picture files in a folder or a zip archive, read by name as bytes; image encoders decode them."""

from __future__ import annotations

import threading
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from recsys.errors import DataError

_DAMAGED = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError)
MAX_BYTES = 64 * 1024 * 1024
"""Larger files are refused."""


@dataclass(frozen=True, eq=False)
class PictureStore:
    """Pictures by file name, from a folder or a zip archive.

    Example:
        >>> import tempfile; folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.png").write_bytes(b"...")
        >>> PictureStore.open(folder).read("a.png")
        b'...'
    """

    path: Path
    _archive: zipfile.ZipFile | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def open(cls, path: Path) -> PictureStore:
        """Open a folder or a zip archive.

        Raises:
            DataError: ``path`` is neither.
        """
        if path.is_dir():
            return cls(path.resolve())
        if not path.is_file():
            raise DataError(f"expected a folder or a zip archive of pictures; {path} is not there")
        try:
            return cls(path.resolve(), zipfile.ZipFile(path))
        except zipfile.BadZipFile as error:
            raise DataError(f"{path} is neither a folder nor a zip archive: {error}") from error

    def read(self, name: str) -> bytes | None:
        """The bytes of one file, or None where it is missing.

        Raises:
            DataError: The name leads out of the folder, the file is damaged or larger than 64 MiB.
        """
        if self._archive is not None:
            return self._read_member(name, self._archive)
        file = self._file(name)
        if not file.is_file():
            return None
        _check_size(name, file.stat().st_size)
        return file.read_bytes()

    def __contains__(self, name: str) -> bool:
        """Whether there is a file of that name; it may be damaged.

        Raises:
            DataError: The name leads out of the folder.
        """
        if self._archive is not None:
            return name in self._archive.NameToInfo
        return self._file(name).is_file()

    def _file(self, name: str) -> Path:
        try:
            file = (self.path / name).resolve()
        except (ValueError, OSError) as error:  # a zero byte, a circle of links
            raise DataError(f"picture name {name!r:.80} cannot be a file's: {error}") from error
        if not file.is_relative_to(self.path):
            raise DataError(f"picture name {name!r} leads out of {self.path}")
        return file

    def _read_member(self, name: str, archive: zipfile.ZipFile) -> bytes | None:
        with self._lock:
            try:
                _check_size(name, archive.getinfo(name).file_size)
                return archive.read(name)
            except KeyError:
                return None
            except _DAMAGED as error:
                raise DataError(f"{self.path}: '{name}' is damaged: {error}") from error


def _check_size(name: str, size: int) -> None:
    if size > MAX_BYTES:
        raise DataError(f"picture '{name}' has {size:,} bytes; at most {MAX_BYTES:,} are read")
