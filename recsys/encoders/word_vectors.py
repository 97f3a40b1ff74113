"""The encoder "word-vectors": pretrained vectors from a file. Reading is ``word_vector_files``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recsys.encoders.base import Content, texts_of
from recsys.encoders.configs import WordVectorsConfig
from recsys.encoders.pooled_words import PooledWords
from recsys.encoders.word_vector_files import read_word_vectors
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
        EncoderError: The file is missing or is no word-vector file.
    """
    progress("read word vectors", 0, 1, config.file.name)
    vocabulary, vectors = read_word_vectors(config.file, limit=config.limit)
    progress("read word vectors", 1, 1, f"{len(vocabulary):,} words")
    return PooledWords.of(config, vocabulary, vectors, texts_of(training))
