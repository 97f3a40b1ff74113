"""Word-vector files: GloVe, word2vec text and binary, fastText, each also compressed with gzip.

gensim reads fastText's ``.bin``, and writes; ``word_vector_entries`` reads the other forms.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from recsys.encoders.encoder import Encoder
from recsys.encoders.words.pooled_words import PooledWords
from recsys.encoders.words.subwords import Subwords
from recsys.encoders.words.tokens import as_word
from recsys.encoders.words.word_vector_entries import (
    GZIP_MAGIC,
    Layout,
    entries_of,
    layout_of,
    refusal,
)
from recsys.errors import EncoderError
from recsys.files import atomic_file
from recsys.ids import Vectors

_DAMAGE = (
    *(OSError, EOFError, ValueError, struct.error, IndexError, KeyError),
    *(AssertionError, NotImplementedError, MemoryError, OverflowError),
)
"""Exceptions that gensim raises for a damaged file; it has none of its own."""


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Content of a word-vector file.

    Attributes:
        words: Distinct words, lower case.
        vectors: Word vectors, float32 ``[words, d]``.
        subwords: Subwords of a fastText ``.bin``; None for other files.
        entries: Number of ``entries`` read, and of those that gave no word: ``repeated`` ones,
            ``other_spellings`` (upper case) and ``not_words`` (punctuation, phrases); number of
            entries ``beyond_header``, after as many as the header states.
    """

    words: list[str]
    vectors: Vectors
    subwords: Subwords | None = None
    entries: Mapping[str, int] = field(default_factory=dict)


def read_word_vectors(path: Path, *, limit: int | None = None) -> WordVectors:
    """Read any word-vector file.

    A word gets the vector of its lower-case spelling, else of the first in the file. Of repeated
    entries the first one counts. Entries that are not a single word (punctuation, phrases with
    blanks) are skipped. Text may have a byte order mark, any line ends, blank lines, and blanks or
    tabs as separators.

    Raises:
        EncoderError: The file does not exist, is damaged or not a word-vector file, or an entry
            has another width than the header or the first line states; with the line.
    """
    try:
        layout = layout_of(path)
        if layout.form == "fasttext":
            return _fasttext(path, limit)
        keys: list[str] = []
        numbers = bytearray()
        for key, vector in islice(entries_of(path, layout), limit):
            keys.append(key)
            numbers += vector
    except FileNotFoundError as error:
        raise EncoderError(
            f"expected a word-vector file; {path} does not exist: check the encoder's 'file'"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise refusal(path, str(error)) from error
    rows, entries = _usable(path, keys, layout)
    vectors = np.frombuffer(numbers, "<f4").reshape(-1, layout.dimension)
    return WordVectors(list(rows), vectors[list(rows.values())], None, entries)


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


def _usable(
    path: Path, keys: Iterable[str], layout: Layout
) -> tuple[dict[str, int], dict[str, int]]:
    """The row of each word, and :attr:`WordVectors.entries`."""
    rows: dict[str, int] = {}
    spellings: dict[str, int] = {}
    not_words = entries = 0
    for row, key in enumerate(keys):
        entries = row + 1
        word = as_word(key)
        if word is None:
            not_words += 1
            continue
        spellings.setdefault(key, row)
        if word not in rows or word == key:
            rows[word] = spellings[key]
    if not rows:
        raise refusal(path, "it holds no words")
    beyond = 0 if layout.words is None else max(0, entries - layout.words)
    return rows, {
        "entries": entries,
        "repeated": entries - not_words - len(spellings),
        "other_spellings": len(spellings) - len(rows),
        "not_words": not_words,
        "beyond_header": beyond,
    }


def _fasttext(path: Path, limit: int | None) -> WordVectors:
    loaded = _load(path)
    keys = loaded.index_to_key[:limit]
    rows, entries = _usable(path, keys, Layout("fasttext"))
    vectors = np.asarray(loaded.vectors[list(rows.values())], np.float32)
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        word = list(rows)[int(np.argmin(finite))]
        raise refusal(path, f"the vector of '{word}' is not finite")
    if not loaded.bucket:
        return WordVectors(list(rows), vectors, None, entries)
    buckets = np.asarray(loaded.vectors_ngrams, np.float32)
    subwords = Subwords(buckets, loaded.min_n, loaded.max_n)
    return WordVectors(list(rows), vectors, subwords, entries)


def _load(path: Path) -> Any:
    from gensim.models.fasttext import load_facebook_vectors

    try:
        return load_facebook_vectors(str(path))
    except _DAMAGE as error:
        reason = str(error) or type(error).__name__
    with path.open("rb") as file:
        if path.suffix != ".gz" and file.read(2) == GZIP_MAGIC:
            reason = "it is a fastText .bin compressed with gzip; let its name end in .gz"
    raise refusal(path, reason)
