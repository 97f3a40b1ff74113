"""Word-vector files: GloVe, word2vec text and binary, fastText, each also as ``.gz``.

gensim reads the binary forms, and writes. This module detects the format, reads the text forms, and
refuses truncated and other files with the line that is wrong.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from recsys.encoders.encoder import Encoder
from recsys.encoders.words.pooled_words import PooledWords
from recsys.encoders.words.subwords import Subwords
from recsys.encoders.words.tokens import is_word
from recsys.errors import EncoderError
from recsys.files import atomic_file
from recsys.ids import Vectors

_FASTTEXT_MAGIC = (793_712_314).to_bytes(4, "little")
_LONGEST_LINE = 1 << 20
_DAMAGE = (
    *(OSError, EOFError, ValueError, struct.error, IndexError, KeyError),
    *(AssertionError, NotImplementedError, MemoryError, OverflowError),
)
"""Exceptions that gensim raises for a damaged file; it has none of its own."""


@dataclass(frozen=True)
class _Layout:
    form: Literal["text", "binary", "fasttext"]
    header: bool = False
    words: int = 0
    dimension: int = 0


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Content of a word-vector file.

    Attributes:
        words: Distinct words, lower case.
        vectors: Word vectors, float32 ``[words, d]``.
        subwords: Subwords of a fastText ``.bin``; None for other files.
    """

    words: list[str]
    vectors: Vectors
    subwords: Subwords | None = None


def read_word_vectors(path: Path, *, limit: int | None = None) -> WordVectors:
    """Read any word-vector file.

    A word gets the vector of its lower-case spelling, else of the first in the file. Entries that
    are not a single word (punctuation, phrases with spaces) are skipped.
    """
    try:
        layout = _layout(path)
        if layout.form == "text":
            return WordVectors(*_usable(path, *_read_text(path, layout, limit)))
        loaded = _load(path, layout, limit)
    except FileNotFoundError as error:
        raise EncoderError(
            f"expected a word-vector file; {path} does not exist: check the encoder's 'file'"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise _refusal(path, str(error)) from error
    vectors = np.asarray(loaded.vectors[:limit], np.float32)
    # gensim skips a word that is there again, and fills the list of words with None.
    keys = [key for key in loaded.index_to_key[:limit] if key is not None]
    words, vectors = _usable(path, keys, vectors)
    if layout.form != "fasttext" or not loaded.bucket:
        return WordVectors(words, vectors)
    buckets = np.asarray(loaded.vectors_ngrams, np.float32)
    return WordVectors(words, vectors, Subwords(buckets, loaded.min_n, loaded.max_n))


def write_word_vectors(
    path: Path, encoder: Encoder, *, form: Literal["text", "binary"] = "text"
) -> int:
    """Write an encoder's words and vectors in word2vec's format, without the pooling.

    The file is replaced atomically, and compressed if ``path`` ends in ``.gz``.

    Returns:
        The number of words written.

    Raises:
        EncoderError: The encoder has no word vectors.
        OSError: The file cannot be written.

    Example:
        >>> from recsys.encoders import Word2VecConfig, build_encoder
        >>> config = Word2VecConfig(dimension=2, min_count=1, epochs=1)
        >>> import tempfile; path = Path(tempfile.mkdtemp()) / "words.txt"
        >>> write_word_vectors(path, build_encoder(config, ["red lamp", "red rug"]))
        3
        >>> path.read_text().splitlines()[0]
        '3 2'
    """
    from gensim.models import KeyedVectors

    if not isinstance(encoder, PooledWords):
        raise EncoderError(
            f"a '{encoder.name}' encoder has no word vectors to write; give one of "
            "'word2vec' or 'word-vectors'"
        )
    keyed = KeyedVectors(encoder.dimension)
    keyed.add_vectors(list(encoder.vocabulary), encoder.vectors)
    with atomic_file(path) as part:
        keyed.save_word2vec_format(str(part), binary=form == "binary")
    return len(keyed)


def _usable(path: Path, keys: Sequence[str], vectors: Vectors) -> tuple[list[str], Vectors]:
    rows: dict[str, int] = {}
    for row, key in enumerate(keys):
        if not is_word(key):
            continue
        word = key.lower()
        if word not in rows or (word == key != keys[rows[word]]):
            rows[word] = row
    if not rows:
        raise _refusal(path, "it holds no words")
    return list(rows), vectors[list(rows.values())]


def _load(path: Path, layout: _Layout, limit: int | None) -> Any:
    from gensim.models import KeyedVectors
    from gensim.models.fasttext import load_facebook_vectors

    try:
        if layout.form == "fasttext":
            return load_facebook_vectors(str(path))
        return KeyedVectors.load_word2vec_format(
            str(path), binary=True, limit=limit, unicode_errors="replace"
        )
    except _DAMAGE as error:
        reason = str(error) or type(error).__name__
    raise _refusal(path, reason)


def _layout(path: Path) -> _Layout:
    with _open(path) as file:
        first = file.readline(_LONGEST_LINE)
        second = file.readline(_LONGEST_LINE)
        if first[:4] == _FASTTEXT_MAGIC:
            return _Layout("fasttext")
        sizes = first.split()
        if len(sizes) == 2 and all(size.isdigit() for size in sizes):
            count, dimension = map(int, sizes)
            form: Literal["text", "binary"] = "text" if _is_line(second, dimension) else "binary"
            least = count * (dimension * 2 if form == "text" else dimension * 4 + 1)
            if dimension < 1 or (path.suffix != ".gz" and path.stat().st_size < least):
                raise _refusal(path, f"its header promises {count:,} x {dimension:,} numbers")
            return _Layout(form, True, count, dimension)
    dimension = len(first.split(b" ")) - 1
    if dimension < 2 or not _is_line(first, dimension):
        raise _refusal(path, f"its first line starts with {first[:40]!r}")
    return _Layout("text", False, 0, dimension)


def _is_line(line: bytes, dimension: int) -> bool:
    parts = line.rstrip().rsplit(b" ", dimension)
    try:
        return len(parts) == dimension + 1 and all(np.isfinite(float(p)) for p in parts[1:])
    except ValueError:
        return False


def _read_text(path: Path, layout: _Layout, limit: int | None) -> tuple[list[str], Vectors]:
    """Words, or phrases as GloVe 840B has a few, and their vectors, float32 ``[n, d]``.

    gensim cannot read the phrases.
    """
    keys: list[str] = []
    numbers = bytearray()
    with _open(path) as file:
        for number, line in enumerate(islice(file, layout.header, None), 1 + layout.header):
            if len(keys) == limit:
                break
            key, *values = line.rstrip().rsplit(b" ", layout.dimension)
            try:
                vector = np.array(values, np.float32)
            except ValueError:
                values = []
            if len(values) != layout.dimension:
                reason = f"line {number:,} is not a word and {layout.dimension} numbers"
                raise _refusal(path, reason)
            keys.append(key.decode("utf-8", "replace"))
            numbers += vector.tobytes()
    promised = layout.words if limit is None else min(layout.words, limit)
    if len(keys) < promised:
        raise _refusal(path, f"its header promises {layout.words:,} words; it holds {len(keys):,}")
    return keys, np.frombuffer(numbers, np.float32).reshape(-1, layout.dimension)


def _open(path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _refusal(path: Path, why: str) -> EncoderError:
    return EncoderError(
        f"{path} is not a whole word-vector file (GloVe, word2vec or fastText): {why}; "
        "check the encoder's 'file', or get the file again"
    )
