"""Sentences of a text file for training word vectors, streamed."""

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
"""Maximum number of words of a sentence; gensim ignores the words beyond it."""

_PIECE = 1 << 20
"""Characters read at once, so that a file of one long line does not fill the memory."""


def sentences_of(texts: Iterable[list[str]]) -> Iterator[list[str]]:
    """The words of ``texts`` in sentences of at most ``LONGEST`` words.

    Example:
        >>> [len(sentence) for sentence in sentences_of([["a"] * 10_001, ["b"]])]
        [10000, 1, 1]
    """
    for text in texts:
        for start in range(0, len(text), LONGEST):
            yield text[start : start + LONGEST]


@dataclass(frozen=True)
class Corpus:
    """The sentences of a text file, one per line; each iteration reads the file again.

    Attributes:
        path: Path of UTF-8 text, plain or ``.gz``.
        progress: Receives a report per megabyte read.

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
        """The words of each line that has words."""
        return sentences_of(words(line) for line in self._lines())

    def _lines(self) -> Iterator[str]:
        number = 1
        try:
            size = self.path.stat().st_size
            with self.path.open("rb") as raw, self._text(raw) as text:
                reported = 0
                for line in _lines(text):
                    yield line
                    number += line.endswith("\n")
                    if raw.tell() >= reported + _PIECE:
                        reported = raw.tell()
                        self.progress("read the corpus", reported, size, self.path.name)
                self.progress("read the corpus", size, size, self.path.name)
        except FileNotFoundError as error:
            raise EncoderError(
                f"expected a text file; {self.path} does not exist: check the encoder's 'corpus'",
                field="corpus",
            ) from error
        except UnicodeDecodeError as error:
            raise self._refusal(f"the text after line {number:,} is not UTF-8") from error
        except (OSError, EOFError, zlib.error) as error:
            raise self._refusal(f"{error} after line {number:,}") from error

    def _text(self, raw: IO[bytes]) -> io.TextIOWrapper:
        file: Any = gzip.GzipFile(fileobj=raw) if self.path.suffix == ".gz" else raw
        return io.TextIOWrapper(file, encoding="utf-8", newline="\n")

    def _refusal(self, why: str) -> EncoderError:
        return EncoderError(
            f"cannot read {self.path} as text, one sentence per line (plain or .gz): {why}; check "
            "the encoder's 'corpus', or get the file again",
            field="corpus",
        )


def _lines(text: IO[str]) -> Iterator[str]:
    """The lines; very long ones in pieces that end at a blank where there is one."""
    left = ""
    while read := text.readline(_PIECE):
        piece, left = left + read, ""
        if len(read) == _PIECE and not read.endswith("\n"):
            whole, _, rest = piece.rpartition(" ")
            piece, left = (whole, rest) if whole else (piece, "")
        yield piece
    if left:
        yield left
