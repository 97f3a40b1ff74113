"""The encoder "word-vectors": pretrained word vectors from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recsys.encoders.contents import Contents, texts_of
from recsys.encoders.storage import EncoderParts
from recsys.encoders.words.configs import WordVectorsConfig
from recsys.encoders.words.pooled_words import PooledWords
from recsys.encoders.words.word_vector_files import read_word_vectors
from recsys.errors import EncoderError
from recsys.progress import Progress

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing since Python 3.11

_ENTRIES = "entries_"


@dataclass(frozen=True, eq=False)
class PretrainedWords(PooledWords):
    """Words with vectors from a file.

    Attributes:
        entries: Number of entries of the file, and of those that gave no word; see
            :class:`~recsys.encoders.words.word_vector_files.WordVectors`.
    """

    entries: Mapping[str, int] = field(default_factory=dict)

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
        encoder = cls.of(config, read.words, read.vectors, texts_of(training), subwords)
        return replace(encoder, entries=dict(sorted(read.entries.items())))

    @classmethod
    def restore(cls, config: WordVectorsConfig, parts: EncoderParts) -> Self:
        """The encoder of saved parts."""
        found = {key: int(parts[key]) for key in sorted(parts) if key.startswith(_ENTRIES)}
        entries = {key.removeprefix(_ENTRIES): count for key, count in found.items()}
        return replace(super().restore(config, parts), entries=entries)

    def parts(self) -> EncoderParts:
        """Those of every pooled encoder, and the numbers of entries."""
        counts = {_ENTRIES + key: np.array(count, np.int64) for key, count in self.entries.items()}
        return {**super().parts(), **counts}
