"""A text file as sentences for training word vectors: read as it goes, never held whole."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from recsys.encoders.words.tokens import words
from recsys.errors import EncoderError
from recsys.progress import Progress, silent

LONGEST = 10_000
"""A longer sentence goes on as the next one: gensim leaves out what lies beyond."""

_PIECE = 1 << 20
"""Letters read at once, so that a file that is one long line does not fill the memory."""


def sentences_of(texts: Iterable[list[str]]) -> Iterator[list[str]]:
    """The words of ``texts`` in sentences that gensim takes whole.

    Example:
        >>> [len(sentence) for sentence in sentences_of([["a"] * 10_001, ["b"]])]
        [10000, 1, 1]
    """
    for text in texts:
        for start in range(0, len(text), LONGEST):
            yield text[start : start + LONGEST]


@dataclass(frozen=True)
class Corpus:
    """The sentences of a text file, one a line; each look at it reads the file anew.

    Attributes:
        path: UTF-8 text, plain or ``.gz``.
        progress: Told after every megabyte how far the reading is.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "corpus.txt"
        >>> _ = path.write_text("A red lamp.\\n\\nRugs!\\n")
        >>> list(Corpus(path))
        [['a', 'red', 'lamp'], ['rugs']]
    """

    path: Path
    progress: Progress = silent

    def __iter__(self) -> Iterator[list[str]]:
        """The words of each line that has any.

        Raises:
            EncoderError: The file is missing, is no UTF-8 text, or is cut short.
        """
        return sentences_of(words(line) for line in self._lines())

    def _lines(self) -> Iterator[str]:
        number = 1
        try:
            size = self.path.stat().st_size
            with self.path.open("rb") as raw, self._text(raw) as text:
                told = 0
                for line in _lines(text):
                    yield line
                    number += line.endswith("\n")
                    if raw.tell() >= told + _PIECE:
                        told = raw.tell()
                        self.progress("read the corpus", told, size, self.path.name)
                self.progress("read the corpus", size, size, self.path.name)
        except FileNotFoundError as error:
            raise EncoderError(
                f"expected a text file; {self.path} is not there: check the encoder's 'corpus'",
                field="corpus",
            ) from error
        except UnicodeDecodeError as error:
            raise self._refusal(f"what follows line {number:,} is not UTF-8") from error
        except (OSError, EOFError, zlib.error) as error:
            raise self._refusal(f"{error} after line {number:,}") from error

    def _text(self, raw: IO[bytes]) -> io.TextIOWrapper:
        file: Any = gzip.GzipFile(fileobj=raw) if self.path.suffix == ".gz" else raw
        return io.TextIOWrapper(file, encoding="utf-8", newline="\n")

    def _refusal(self, why: str) -> EncoderError:
        return EncoderError(
            f"cannot read {self.path} as text, one sentence a line (plain or .gz): {why}; check "
            "the encoder's 'corpus', or get the file again",
            field="corpus",
        )


def _lines(text: IO[str]) -> Iterator[str]:
    """The lines; an endless one in pieces that end between words where there are blanks."""
    left = ""
    while read := text.readline(_PIECE):
        piece, left = left + read, ""
        if len(read) == _PIECE and not read.endswith("\n"):
            whole, _, rest = piece.rpartition(" ")
            piece, left = (whole, rest) if whole else (piece, "")
        yield piece
    if left:
        yield left
