"""The encoder "bag-of-words": a coordinate for each frequent word, nothing pretrained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from recsys.encoders import saved
from recsys.encoders.base import Content, Encoded, Kind, texts_of
from recsys.encoders.configs import BagOfWordsConfig
from recsys.encoders.words.coverage import Coverage, coverage_of
from recsys.encoders.words.tokens import words
from recsys.encoders.words.word_counts import frequent_words, idf
from recsys.errors import EncoderError
from recsys.ids import Vectors
from recsys.progress import Progress, silent

WORDS = "words.txt"


def build(
    config: BagOfWordsConfig,
    training: Sequence[Content],
    *,
    checkpoints: Path | None = None,
    progress: Progress = silent,
) -> BagOfWords:
    """Choose the words by ``training`` and weigh them; takes seconds, nothing is checkpointed.

    Raises:
        EncoderError: No word occurs ``min_count`` times.
    """
    texts = [words(text) for text in texts_of(training)]
    vocabulary = frequent_words(texts, min_count=config.min_count, most=config.max_words)
    if not vocabulary:
        raise EncoderError(
            f"no word occurs {config.min_count} times in the {len(texts):,} training texts: "
            "lower 'min_count', or give texts with words"
        )
    if config.weighting == "multi-hot":
        return BagOfWords(config, vocabulary, np.ones(len(vocabulary), np.float32))
    return BagOfWords(config, vocabulary, idf(texts, vocabulary))


@dataclass(frozen=True, eq=False)
class BagOfWords(saved.SavedEncoder):
    """A text encoder whose vectors tell which words a text holds; see :class:`BagOfWordsConfig`.

    Attributes:
        config: How it was built.
        vocabulary: The word of each coordinate, the most frequent first.
        weights: float32 ``[d]``, what a word counts.

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

    @property
    def kind(self) -> Kind:
        return "text"

    @property
    def dimension(self) -> int:
        return len(self.vocabulary)

    @cached_property
    def fingerprint(self) -> str:
        counted = {"weighting": self.config.weighting}
        return saved.fingerprint_of(self.name, counted, {**self.arrays(), **self.files()})

    def encode(self, contents: Sequence[Content]) -> Encoded:
        """See :class:`~recsys.encoders.base.Encoder`; a text without a known word is masked."""
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

    @classmethod
    def restore(cls, parts: saved.Saved, config: BagOfWordsConfig) -> BagOfWords:
        """The encoder that :meth:`save` wrote."""
        vocabulary = parts.files[WORDS].decode("utf-8").split("\n")
        return cls(config, tuple(vocabulary), parts.arrays["weights"])

    def arrays(self) -> dict[str, Vectors]:
        """See :class:`~recsys.encoders.saved.SavedEncoder`."""
        return {"weights": self.weights}

    def files(self) -> dict[str, bytes]:
        """See :class:`~recsys.encoders.saved.SavedEncoder`."""
        return {WORDS: "\n".join(self.vocabulary).encode("utf-8")}

    @cached_property
    def _columns(self) -> Mapping[str, int]:
        return {word: column for column, word in enumerate(self.vocabulary)}
