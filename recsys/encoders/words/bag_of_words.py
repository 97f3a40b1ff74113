"""The encoder "bag-of-words": one coordinate per frequent word, nothing pretrained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from recsys.encoders.contents import Contents, texts_of
from recsys.encoders.encoder import Encoded
from recsys.encoders.storage import EncoderParts, StoredEncoder
from recsys.encoders.words.configs import BagOfWordsConfig
from recsys.encoders.words.counting import frequent_words, idf, no_frequent_words
from recsys.encoders.words.coverage import Coverage, coverage_of
from recsys.encoders.words.tokens import vocabulary_of, vocabulary_parts, words
from recsys.ids import Vectors
from recsys.progress import Progress


@dataclass(frozen=True, eq=False)
class BagOfWords(StoredEncoder):
    """A text encoder with one coordinate per word; see :class:`BagOfWordsConfig`.

    Attributes:
        vocabulary: Word of each coordinate, the most frequent first.
        weights: Weight of each word, float32 ``[d]``.

    Example:
        >>> from recsys.encoders import BagOfWordsConfig, build_encoder
        >>> config = BagOfWordsConfig(weighting="multi-hot", min_count=1)
        >>> encoder = build_encoder(config, ["red lamp", "red rug"])
        >>> encoder.vocabulary, encoder.encode(["a rug"]).vectors.tolist()
        (('red', 'lamp', 'rug'), [[0.0, 0.0, 1.0]])
    """

    config: BagOfWordsConfig
    vocabulary: tuple[str, ...]
    weights: Vectors

    @classmethod
    def build(
        cls,
        config: BagOfWordsConfig,
        training: Contents,
        checkpoints: Path | None,
        progress: Progress,
    ) -> BagOfWords:
        """Choose and weigh the words of ``training``; fast, without checkpoints."""
        texts = [words(text) for text in texts_of(training)]
        vocabulary = frequent_words(texts, min_count=config.min_count, most=config.max_words)
        if not vocabulary:
            raise no_frequent_words(config.min_count, f"the {len(texts):,} training texts")
        if config.weighting == "multi-hot":
            return cls(config, vocabulary, np.ones(len(vocabulary), np.float32))
        return cls(config, vocabulary, idf(texts, vocabulary))

    @classmethod
    def restore(cls, config: BagOfWordsConfig, parts: EncoderParts) -> BagOfWords:
        """The encoder of saved parts."""
        return cls(config, vocabulary_of(parts), parts["weights"])

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return len(self.vocabulary)

    @property
    def settings(self) -> Mapping[str, str]:
        """The weighting."""
        return {"weighting": self.config.weighting}

    def parts(self) -> EncoderParts:
        """Vocabulary and weights."""
        return {**vocabulary_parts(self.vocabulary), "weights": self.weights}

    def encode(self, contents: Contents) -> Encoded:
        """See :class:`~recsys.encoders.encoder.Encoder`; a text without a known word is masked."""
        texts = texts_of(contents)
        counts = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            known = [self._columns[word] for word in words(text) if word in self._columns]
            counts[row] = np.bincount(known, minlength=self.dimension)
        if self.config.weighting == "multi-hot":
            counts = np.minimum(counts, 1)
        return Encoded.of(counts * self.weights)

    def coverage(self, texts: Iterable[str]) -> Coverage:
        """Count the words of ``texts`` that have no coordinate."""
        return coverage_of(texts, lambda word: "whole" if word in self._columns else "no")

    @cached_property
    def _columns(self) -> Mapping[str, int]:
        return {word: column for column, word in enumerate(self.vocabulary)}
