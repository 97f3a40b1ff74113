"""The encoder "word-vectors": pretrained word vectors from a file."""

from __future__ import annotations

from pathlib import Path

from recsys.encoders.contents import Contents, texts_of
from recsys.encoders.words.configs import WordVectorsConfig
from recsys.encoders.words.pooled_words import PooledWords
from recsys.encoders.words.word_vector_files import read_word_vectors
from recsys.errors import EncoderError
from recsys.progress import Progress


class PretrainedWords(PooledWords):
    """Words with vectors from a file."""

    @classmethod
    def build(
        cls,
        config: WordVectorsConfig,
        training: Contents,
        checkpoints: Path | None,
        progress: Progress,
    ) -> PretrainedWords:
        """Read the file; the texts ``training`` weigh the words. Without checkpoints."""
        progress("read word vectors", 0, 1, config.file.name)
        read = read_word_vectors(config.file, limit=config.limit)
        if config.unknown == "subwords" and read.subwords is None:
            raise EncoderError(
                f"unknown = 'subwords' needs a fastText .bin, which holds subwords; {config.file} "
                "holds only whole words: give the .bin, or choose 'skip'",
                field="unknown",
            )
        progress("read word vectors", 1, 1, f"{len(read.words):,} words")
        subwords = read.subwords if config.unknown == "subwords" else None
        return cls.of(config, read.words, read.vectors, texts_of(training), subwords)
