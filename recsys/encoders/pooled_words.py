"""A text's vector as the weighted mean of its words' vectors.

Shared by the encoders that know words; where the word vectors come from is their business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.encoders import saved
from recsys.encoders.base import Content, Encoded, Kind, texts_of
from recsys.encoders.configs import Pooling, Word2VecConfig, WordVectorsConfig
from recsys.encoders.tokens import words
from recsys.errors import EncoderError
from recsys.ids import Vectors

WORDS = "words.txt"


@dataclass(frozen=True)
class Coverage:
    """How many of the words of some texts an encoder knows.

    Attributes:
        words: Words in all, each time they occur.
        known: Those with a vector.
        unknown: The most frequent words without one, with their counts.
    """

    words: int
    known: int
    unknown: tuple[tuple[str, int], ...]


@dataclass(frozen=True, eq=False)
class PooledWords(saved.SavedEncoder):
    """A text encoder over a vocabulary.

    Attributes:
        config: How it was built.
        vocabulary: The words, lower case.
        vectors: float32 ``[words, d]``.
        weights: float32 ``[words]``, of the pooling.
        common: float32 ``[d]``, length 1: the direction that is removed; or zeros.
    """

    config: WordVectorsConfig | Word2VecConfig
    vocabulary: tuple[str, ...]
    vectors: Vectors
    weights: Vectors
    common: Vectors

    @classmethod
    def of(
        cls,
        config: WordVectorsConfig | Word2VecConfig,
        vocabulary: Sequence[str],
        vectors: Vectors,
        training: Sequence[str],
    ) -> PooledWords:
        """Weigh the words by ``training``; with no training text every word weighs the same.

        Raises:
            EncoderError: A vector is not finite.
        """
        finite = np.isfinite(vectors).all(axis=1)
        if not finite.all():
            bad = vocabulary[int(np.flatnonzero(~finite)[0])]
            raise EncoderError(f"the vector of the word '{bad}' is not finite; get the file again")
        weights = _weights(config, vocabulary, training)
        none = np.zeros(vectors.shape[1], np.float32)
        encoder = cls(config, tuple(vocabulary), vectors.astype(np.float32), weights, none)
        if config.common_component == "keep":
            return encoder
        common = _first_direction(encoder.encode(training))
        return cls(config, encoder.vocabulary, encoder.vectors, weights, common)

    @property
    def kind(self) -> Kind:
        return "text"

    @property
    def dimension(self) -> int:
        return int(self.vectors.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        # The vectors and weights say all that the config did.
        return saved.fingerprint_of(self.name, {}, {**self.arrays(), **self.files()})

    def encode(self, contents: Sequence[Content]) -> Encoded:
        """See :class:`~recsys.encoders.base.Encoder`; a text without a known word is masked."""
        texts = texts_of(contents)
        pooled = self._counts(texts) @ self.vectors  # (n, words) @ (words, d)
        if self.common.any():
            before = np.linalg.norm(pooled, axis=1)
            pooled -= np.outer(pooled @ self.common, self.common)
            # What rounding leaves of a text that held nothing else must not become its vector.
            pooled[np.linalg.norm(pooled, axis=1) < 1e-5 * before] = 0.0
        return Encoded.of(pooled)

    def coverage(self, texts: Sequence[str]) -> Coverage:
        """Count the words of ``texts`` that have no vector."""
        counts = Counter(word for text in texts for word in words(text))
        unknown = Counter({word: n for word, n in counts.items() if word not in self._columns})
        total = counts.total()
        return Coverage(total, total - unknown.total(), tuple(unknown.most_common(10)))

    @classmethod
    def restore(cls, parts: saved.Saved, config: Any) -> PooledWords:
        """The encoder that :meth:`save` wrote."""
        vocabulary = tuple(parts.files[WORDS].decode("utf-8").split("\n")) if parts.files else ()
        arrays = parts.arrays
        return cls(config, vocabulary, arrays["vectors"], arrays["weights"], arrays["common"])

    def arrays(self) -> dict[str, Vectors]:
        """See :class:`~recsys.encoders.saved.SavedEncoder`."""
        return {"vectors": self.vectors, "weights": self.weights, "common": self.common}

    def files(self) -> dict[str, bytes]:
        """See :class:`~recsys.encoders.saved.SavedEncoder`."""
        return {WORDS: "\n".join(self.vocabulary).encode("utf-8")}

    @cached_property
    def _columns(self) -> Mapping[str, int]:
        return {word: column for column, word in enumerate(self.vocabulary)}

    def _counts(self, texts: Sequence[str]) -> sparse.csr_array:
        """Weighted counts of known words, float32 ``[texts, words]``, words in a fixed order."""
        columns: list[npt.NDArray[np.int64]] = []
        counts: list[npt.NDArray[np.int64]] = []
        for text in texts:
            known = [self._columns[word] for word in words(text) if word in self._columns]
            column, count = np.unique(np.asarray(known, np.int64), return_counts=True)
            columns.append(column)
            counts.append(count)
        lengths = [len(column) for column in columns]
        row = np.repeat(np.arange(len(texts)), lengths)
        column = np.concatenate([*columns, np.zeros(0, np.int64)])
        weight = np.concatenate([*counts, np.zeros(0, np.int64)]) * self.weights[column]
        # A share, not a sum: a text of 100,000 words keeps its precision.
        share = weight / np.bincount(row, weight, minlength=len(texts))[row]
        ends = np.cumsum([0, *lengths])
        shape = (len(texts), len(self.vocabulary))
        return sparse.csr_array((share.astype(np.float32), column, ends), shape=shape)


def _weights(config: Pooling, vocabulary: Sequence[str], training: Sequence[str]) -> Vectors:
    """The weight of each word, float32 ``[words]``; see :class:`Pooling` for the formulas."""
    if config.pooling == "mean" or not training:
        return np.ones(len(vocabulary), np.float32)
    texts = [words(text) for text in training]
    if config.pooling == "idf":
        documents = Counter(word for text in texts for word in set(text))
        df = np.array([documents[word] for word in vocabulary], np.float64)
        return (np.log((1 + len(texts)) / (1 + df)) + 1).astype(np.float32)
    counts = Counter(word for text in texts for word in text)
    share = np.array([counts[word] for word in vocabulary], np.float64) / max(counts.total(), 1)
    return (config.sif_a / (config.sif_a + share)).astype(np.float32)


def _first_direction(encoded: Encoded) -> Vectors:
    """The first right singular vector of the unmasked vectors, float32 ``[d]``, not centred."""
    known = encoded.vectors[encoded.mask].astype(np.float64)
    if len(known) < 2:
        raise EncoderError(
            "common_component = 'remove' needs at least two training texts with known words; "
            f"got {len(known)}: give the item texts, or use 'keep'"
        )
    _, vectors = np.linalg.eigh(known.T @ known)
    first = vectors[:, -1]
    sign = np.sign(first[np.argmax(np.abs(first))])
    return np.asarray(first * sign, np.float32)
