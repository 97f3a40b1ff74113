"""The encoder "word-vectors": pretrained vectors from a file. Reading is ``word_vector_files``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recsys.encoders.base import Content, texts_of
from recsys.encoders.configs import WordVectorsConfig
from recsys.encoders.words.pooled_words import PooledWords
from recsys.encoders.words.word_vector_files import read_word_vectors
from recsys.errors import EncoderError
from recsys.progress import Progress, silent


def build(
    config: WordVectorsConfig,
    training: Sequence[Content],
    *,
    checkpoints: Path | None = None,
    progress: Progress = silent,
) -> PooledWords:
    """Read the file; ``training`` (item texts) weighs the words. Nothing is checkpointed.

    Raises:
        EncoderError: The file is missing or is no word-vector file, or holds no pieces of words
            where they are asked for.
    """
    progress("read word vectors", 0, 1, config.file.name)
    read = read_word_vectors(config.file, limit=config.limit)
    if config.unknown == "subwords" and read.subwords is None:
        raise EncoderError(
            f"unknown = 'subwords' needs a fastText .bin, which holds the pieces of words; "
            f"{config.file} holds whole words alone: give the .bin, or choose 'skip'",
            field="unknown",
        )
    progress("read word vectors", 1, 1, f"{len(read.words):,} words")
    subwords = read.subwords if config.unknown == "subwords" else None
    return PooledWords.of(config, read.words, read.vectors, texts_of(training), subwords)
