"""Text files as streams of UTF-8 bytes: compression by content, byte order marks, encodings."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import pyarrow as pa

from recsys.errors import DataError

Compression = Literal["gzip", "bz2", "xz", "zstd", "zip"]
_MAGIC: dict[bytes, Compression] = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_WINDOWS = re.compile(rb"[\x80-\x9f]")
_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile)


@dataclass(frozen=True, eq=False)
class TextFile:
    """A text file that is read several times.

    Attributes:
        file: Path, or an open stream that can be rewound.
        name: Name in messages.
        compression: Compression, by the first bytes; None for plain text.
        encoding: Encoding of the text, as Python names it.
        marked: Whether the encoding is stated by a byte order mark.
    """

    file: Path | IO[bytes]
    name: str
    compression: Compression | None
    encoding: str
    marked: bool

    @classmethod
    def of(cls, file: Path | IO[bytes], name: str, encoding: str | None = None) -> TextFile:
        """Examine the first bytes; ``encoding`` is the configured one, UTF-8 by default.

        Raises:
            DataError: The file is missing or no text, or the encoding is unknown.
        """
        try:
            given = codecs.lookup(encoding or "utf-8").name
        except LookupError:
            raise DataError(
                f"{name}: the encoding {encoding!r} is not known; common ones are 'utf-8',"
                " 'cp1252' (Western Europe), 'utf-16' and 'latin-1'"
            ) from None
        if isinstance(file, Path) and file.is_dir():
            raise DataError(f"{name} is a folder; name one file (parquet folders are read whole)")
        start = cls(file, name, None, given, False)._head()
        kinds = (kind for magic, kind in _MAGIC.items() if start.startswith(magic))
        compression = next(kinds, None)
        if compression is not None:
            start = cls(file, name, compression, given, False)._head()
        if start.startswith(b"PAR1"):
            raise DataError(f"{name} is a parquet file: set format = 'parquet'")
        marked = next((each for mark, each in _MARKS.items() if start.startswith(mark)), None)
        utf8 = given in ("utf-8", "utf-8-sig")
        if marked is None and utf8 and start.count(0) > len(start) // 4:
            side = "le" if start[1:2] == b"\0" else "be"
            raise DataError(
                f"{name}: the text is not UTF-8: every other byte is 0; set encoding ="
                f" 'utf-16-{side}'"
            )
        chosen = marked if marked is not None and (encoding is None or utf8) else given
        return cls(file, name, compression, "utf-8" if chosen == "utf-8" else chosen, bool(marked))

    @contextmanager
    def open(self) -> Iterator[Any]:
        """The text as a stream of UTF-8 bytes without a byte order mark.

        Raises:
            DataError: The file is missing, damaged, or not in its encoding.
        """
        with self._faults(), self._bytes() as stream:
            if self.encoding == "utf-8-sig":
                if self.marked:
                    stream.read(len(codecs.BOM_UTF8))
            elif self.encoding != "utf-8":
                native = (
                    stream if isinstance(stream, pa.NativeFile) else pa.PythonFile(stream, mode="r")
                )
                stream = pa.transcoding_input_stream(native, self.encoding, "utf-8")
            yield stream

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Faults of the file as errors with its name."""
        try:
            yield
        except FileNotFoundError:
            raise DataError(
                f"{self.name} is not there; check the path, or set RECSYS_DATA_HOME for data:"
            ) from None
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self.name} is not text in the encoding '{self.encoding}' ({error.reason}); set"
                " encoding to the one that it was written with"
            ) from error
        except _DAMAGED as error:
            kind = (
                f"is compressed ({self.compression}) and" if self.compression else "cannot be read:"
            )
            raise DataError(f"{self.name} {kind} damaged or cut short: {error}") from error

    def _head(self) -> bytes:
        """The first bytes, before they are decoded."""
        with self._faults(), self._bytes() as stream:
            return bytes(stream.read(1 << 10))

    @contextmanager
    def _bytes(self) -> Iterator[Any]:
        """The bytes after decompression."""
        file: Any = self.file
        if not isinstance(file, Path):  # a stream of its own, which may be closed
            file.seek(0)
            file = io.BytesIO(file.read())
        if self.compression is None:
            with file if not isinstance(file, Path) else pa.OSFile(str(file)) as plain:
                yield plain
        elif self.compression == "zip":
            with zipfile.ZipFile(file) as archive, archive.open(self._member(archive)) as part:
                yield part
        elif self.compression == "zstd":
            packed = pa.OSFile(str(file)) if isinstance(file, Path) else pa.PythonFile(file, "r")
            with pa.CompressedInputStream(packed, "zstd") as native:
                yield native
        else:
            opener: Any = {"gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open}[self.compression]
            with opener(file, "rb") as unpacked:
                yield io.BufferedReader(unpacked)

    def _member(self, archive: zipfile.ZipFile) -> str:
        """The only file of a zip archive."""
        names = [
            each.filename
            for each in archive.infolist()
            if not each.is_dir() and not each.filename.startswith("__MACOSX/")
        ]
        if "[Content_Types].xml" in names:
            raise DataError(f"{self.name} is an Excel workbook; save the sheet as csv (UTF-8)")
        if len(names) != 1:
            known = ", ".join(sorted(names)[:5]) or "nothing"
            raise DataError(
                f"{self.name} is a zip archive of {len(names)} files ({known}); unpack it, and name"
                " the file"
            )
        return names[0]


def legacy_encoding(text: TextFile) -> str | None:
    """None for UTF-8 or a byte order mark, else the encoding of Western Europe that fits."""
    if text.marked:
        return None
    decoder = codecs.getincrementaldecoder("utf-8")()
    with text.open() as stream:
        while block := bytes(stream.read(1 << 20)):
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                # Letters and quotation marks of Windows are where latin-1 has control characters.
                return "cp1252" if _WINDOWS.search(block) else "latin-1"
    return None
