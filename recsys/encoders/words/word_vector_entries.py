"""Entries of a word-vector file: detection of its form, and the text and binary forms.

The reader is strict, because a lenient one (gensim's) reads a text file whose header states a wrong
width as a binary one, and ignores what follows the promised number of words.
"""

from __future__ import annotations

import codecs
import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import numpy as np

from recsys.errors import EncoderError

_FASTTEXT_MAGIC = (793_712_314).to_bytes(4, "little")
GZIP_MAGIC = b"\x1f\x8b"
_OTHER_FORMATS = {
    b"PK\x03\x04": "it is a zip archive; unpack it",
    b"BZh": "it is compressed with bzip2; unpack it, or compress it with gzip",
    b"\xfd7zXZ": "it is compressed with xz; unpack it, or compress it with gzip",
    b"\x28\xb5\x2f\xfd": "it is compressed with zstd; unpack it, or compress it with gzip",
    codecs.BOM_UTF16_LE: "it is UTF-16; save it as UTF-8",
    codecs.BOM_UTF16_BE: "it is UTF-16; save it as UTF-8",
}
_LONGEST_LINE = 1 << 20
_LONGEST_WORD = 1_000
_BLOCK = 1 << 20
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True)
class Layout:
    """Form of a word-vector file.

    Attributes:
        form: Form of the entries.
        start: Position of the first entry in the unpacked file, in bytes.
        line: Number of the line of the first entry, from 1.
        words: Number of words that the header states; None without a header.
        dimension: Length of the vectors; 0 for ``fasttext``.
    """

    form: Literal["text", "binary", "fasttext"]
    start: int = 0
    line: int = 1
    words: int | None = None
    dimension: int = 0


Entry = tuple[str, bytes]
"""A word or phrase, and its float32 vector in little-endian bytes."""


def layout_of(path: Path) -> Layout:
    """Detect the form of a file.

    Raises:
        EncoderError: It is no word-vector file.
        OSError: It cannot be read.
    """
    with _open(path) as file:
        magic = file.read(5)
        for mark, reason in _OTHER_FORMATS.items():
            if magic.startswith(mark):
                raise refusal(path, reason)
        if magic[:4] == _FASTTEXT_MAGIC:
            return Layout("fasttext")
        file.seek(len(codecs.BOM_UTF8) if magic.startswith(codecs.BOM_UTF8) else 0)
        start, line, first = file.tell(), 1, file.readline(_LONGEST_LINE)
        while first and not first.strip():
            start, line, first = file.tell(), line + 1, file.readline(_LONGEST_LINE)
        sizes = first.split()
        if len(sizes) == 2 and all(size.isdigit() for size in sizes):
            count, dimension = map(int, sizes)
            if dimension < 1:
                raise refusal(path, f"its header promises vectors of {dimension} numbers")
            after, block = file.tell(), file.read(4_096)
            form: Literal["text", "binary"] = "text"
            if not _is_text(block, dimension) or _is_whole_binary(block, count, dimension):
                form = "binary"
            return Layout(form, after, line + 1, count, dimension)
    dimension = min(_numbers_at_the_end(sizes), len(sizes) - 1)
    if dimension < 2:
        raise refusal(
            path,
            f"its first line starts with {first[:40]!r}; expected a word and its numbers, "
            "separated by blanks or tabs",
        )
    return Layout("text", start, line, None, dimension)


def entries_of(path: Path, layout: Layout) -> Iterator[Entry]:
    """The entries of a text or binary file in their order, blank lines left out.

    Raises:
        EncoderError: An entry has another width, is cut off, or is not finite; or the header
            promises more words.
    """
    with _open(path) as file:
        file.seek(layout.start)
        read = _text_entries if layout.form == "text" else _binary_entries
        count, position = 0, f"line {layout.line - 1:,}"
        for position, word, vector in read(path, file, layout):
            if not np.isfinite(np.frombuffer(vector, "<f4")).all():
                raise refusal(path, f"{position}: the vector of '{word}' is not finite")
            count += 1
            yield word, vector
    if count < (layout.words or 0):
        raise refusal(
            path,
            f"its header promises {layout.words:,} words; it ends after {position} with {count:,}",
        )


def refusal(path: Path, why: str) -> EncoderError:
    """The error for a file that cannot be read whole."""
    return EncoderError(
        f"{path} is not a whole word-vector file (GloVe, word2vec or fastText): {why}; "
        "check the encoder's 'file', or get the file again"
    )


def _open(path: Path) -> IO[bytes] | gzip.GzipFile:
    with path.open("rb") as file:
        packed = file.read(2) == GZIP_MAGIC
    return gzip.open(path, "rb") if packed else path.open("rb")


def _text_entries(
    path: Path, file: IO[bytes] | gzip.GzipFile, layout: Layout
) -> Iterator[tuple[str, str, bytes]]:
    """Words, or phrases with blanks as GloVe 840B has a few; gensim cannot read these."""
    for number, line in enumerate(file, layout.line):
        parts = line.rsplit(None, layout.dimension)
        if not parts:
            continue
        if len(parts) == layout.dimension and line[:1].isspace():
            parts.insert(0, b"")  # the word consists of blanks
        key, *values = parts
        try:
            with np.errstate(over="ignore"):
                vector = np.array(values, "<f4").tobytes()
        except ValueError:
            values = []
        if len(values) != layout.dimension or _ends_with_number(key):
            raise refusal(path, f"line {number:,} {_mismatch(line, layout)}")
        yield f"line {number:,}", key.decode("utf-8", "replace"), vector


def _mismatch(line: bytes, layout: Layout) -> str:
    parts = line.split()
    numbers = min(_numbers_at_the_end(parts), len(parts) - 1)
    source = f"line {layout.line}" if layout.words is None else "the header"
    found = f"is not a word and {layout.dimension} numbers, the width that {source} states"
    if 0 < numbers == len(parts) - 1 or numbers > layout.dimension:
        return f"{found}: it has {numbers} numbers"
    bad = parts[-1 - numbers].decode("utf-8", "replace")[:40]
    return f"{found}: it ends with '{bad}' and {numbers} numbers"


def _binary_entries(
    path: Path, file: IO[bytes] | gzip.GzipFile, layout: Layout
) -> Iterator[tuple[str, str, bytes]]:
    width, number = 4 * layout.dimension, 0
    left, at = b"", 0
    while True:
        blank = left.find(b" ", at)
        if blank < 0 or len(left) < blank + 1 + width:
            if blank < 0 and len(left) - at > _LONGEST_WORD:
                break
            more = file.read(_BLOCK)
            if not more:
                break
            left, at = left[at:] + more, 0
            continue
        key = left[at:blank].lstrip(b"\n")
        if b"\0" in key or len(key) > _LONGEST_WORD:
            break
        number += 1
        at = blank + 1 + width
        yield f"entry {number:,}", key.decode("utf-8", "replace"), left[blank + 1 : at]
    if left[at:].strip(b"\r\n"):
        raise refusal(
            path,
            f"entry {number + 1:,} is not a word and {layout.dimension} numbers of 4 bytes, the "
            "width that its header states: it is cut off, or the header is wrong",
        )


def _is_text(block: bytes, dimension: int) -> bool:
    """Whether what follows a header is text, of whatever width."""
    first = block.partition(b"\n")[0].split()
    if _numbers_at_the_end(first) >= dimension:
        return True
    try:
        return not _CONTROL.search(codecs.getincrementaldecoder("utf-8")().decode(block))
    except UnicodeDecodeError:
        return False


def _is_whole_binary(block: bytes, count: int, dimension: int) -> bool:
    """Whether a block is just as long as binary entries; few of them may look like text."""
    if _numbers_at_the_end(block.partition(b"\n")[0].split()) >= dimension:
        return False
    at = 0
    for _ in range(count):
        blank = block.find(b" ", at)
        at = blank + 1 + 4 * dimension
        if blank < 0 or at > len(block):
            return False
        at += block[at : at + 1] == b"\n"
    return at == len(block)


def _numbers_at_the_end(parts: list[bytes]) -> int:
    count = 0
    for part in reversed(parts):
        if not _is_number(part):
            break
        count += 1
    return count


def _ends_with_number(key: bytes) -> bool:
    """Whether a phrase is rather a word and one number too many."""
    parts = key.split()
    return len(parts) > 1 and _is_number(parts[-1])


def _is_number(part: bytes) -> bool:
    try:
        float(part)
    except ValueError:
        return False
    return True
