"""A text's vector as the weighted mean of its words' vectors.

Shared by the encoders that know words; where the word vectors come from is their business.
"""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.encoders import saved
from recsys.encoders.base import Content, Encoded, Kind, texts_of
from recsys.encoders.configs import LsaConfig, Pooling, Word2VecConfig, WordVectorsConfig
from recsys.encoders.words.coverage import Coverage, Known, coverage_of
from recsys.encoders.words.subwords import Subwords
from recsys.encoders.words.tokens import words
from recsys.encoders.words.word_counts import idf
from recsys.errors import EncoderError
from recsys.ids import Vectors

WORDS = "words.txt"


@dataclass(frozen=True, eq=False)
class PooledWords(saved.SavedEncoder):
    """A text encoder over a vocabulary, and over the pieces of other words where it has them.

    Attributes:
        config: How it was built.
        vocabulary: The words, lower case.
        vectors: float32 ``[words, d]``.
        weights: float32 ``[words]``, of the pooling.
        common: float32 ``[d]``, length 1: the direction that is removed; or zeros.
        subwords: Gives a word outside of the vocabulary its vector; None: it has none.
        whole: So many words, the first ones, have a vector of their own; the vectors of the
            others were made from their pieces.
        unseen: What a word weighs that no training text held.
    """

    config: WordVectorsConfig | Word2VecConfig | LsaConfig
    vocabulary: tuple[str, ...]
    vectors: Vectors
    weights: Vectors
    common: Vectors
    subwords: Subwords | None = None
    whole: int = 0
    unseen: float = 1.0

    @classmethod
    def of(
        cls,
        config: WordVectorsConfig | Word2VecConfig | LsaConfig,
        vocabulary: Sequence[str],
        vectors: Vectors,
        training: Sequence[str],
        subwords: Subwords | None = None,
    ) -> PooledWords:
        """Weigh the words by ``training``; with no training text every word weighs the same.

        Raises:
            EncoderError: A vector is not finite.
        """
        finite = np.isfinite(vectors).all(axis=1)
        if not finite.all():
            bad = vocabulary[int(np.flatnonzero(~finite)[0])]
            raise EncoderError(f"the vector of the word '{bad}' is not finite; get the file again")
        vectors, whole = vectors.astype(np.float32), len(vocabulary)
        if subwords is not None:
            met = {word for text in training for word in words(text)}
            pieced = _pieced(subwords, met - set(vocabulary))
            vocabulary = [*vocabulary, *pieced]
            vectors = np.concatenate([vectors, *(vector[None] for vector in pieced.values())])
        *_, unseen = weights = _weights(config, [*vocabulary, ""], training)  # "" is in no text
        none = np.zeros(vectors.shape[1], np.float32)
        rest = (subwords, whole, float(unseen))
        encoder = cls(config, tuple(vocabulary), vectors, weights[:-1], none, *rest)
        if config.common_component == "keep":
            return encoder
        return replace(encoder, common=_first_direction(encoder._pooled(training)))

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
        pooled = self._pooled(texts_of(contents))
        if self.common.any():
            before = np.linalg.norm(pooled, axis=1)
            pooled -= np.outer(pooled @ self.common, self.common)
            # What rounding leaves of a text that held nothing else must not become its vector.
            pooled[np.linalg.norm(pooled, axis=1) < 1e-5 * before] = 0.0
        return Encoded.of(pooled)

    def coverage(self, texts: Iterable[str]) -> Coverage:
        """Count the words of ``texts`` that have no vector."""

        def known(word: str) -> Known:
            if word in self._columns:
                return "whole" if self._columns[word] < self.whole else "pieces"
            return "pieces" if self.subwords and _pieced(self.subwords, {word}) else "no"

        return coverage_of(texts, known)

    @classmethod
    def restore(cls, parts: saved.Saved, config: Any) -> PooledWords:
        """The encoder that :meth:`save` wrote."""
        vocabulary = tuple(parts.files[WORDS].decode("utf-8").split("\n")) if parts.files else ()
        arrays = parts.arrays
        own = (vocabulary, arrays["vectors"], arrays["weights"], arrays["common"])
        if "buckets" not in arrays:
            return cls(config, *own, whole=len(vocabulary))
        shortest, longest, whole = arrays["pieces"].tolist()
        subwords = Subwords(arrays["buckets"], shortest, longest)
        return cls(config, *own, subwords, whole, float(arrays["unseen"]))

    def arrays(self) -> dict[str, Any]:
        """See :class:`~recsys.encoders.saved.SavedEncoder`."""
        own = {"vectors": self.vectors, "weights": self.weights, "common": self.common}
        if self.subwords is None:
            return own
        pieces = [self.subwords.shortest, self.subwords.longest, self.whole]
        return {
            **own,
            "buckets": self.subwords.buckets,
            "pieces": np.array(pieces, np.int64),
            "unseen": np.array(self.unseen, np.float32),
        }

    def files(self) -> dict[str, bytes]:
        """See :class:`~recsys.encoders.saved.SavedEncoder`."""
        return {WORDS: "\n".join(self.vocabulary).encode("utf-8")}

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {word: column for column, word in enumerate(self.vocabulary)}

    def _pooled(self, texts: Sequence[str]) -> Vectors:
        """The weighted mean of each text's known words, float32 ``[texts, d]``, not scaled."""
        split = [words(text) for text in texts]
        columns: MutableMapping[str, int] = self._columns
        weights, own = self.weights, len(self.vocabulary)
        pieced = np.zeros((0, self.dimension), np.float32)
        if self.subwords is not None:
            unknown = {word for text in split for word in text} - columns.keys()
            found = _pieced(self.subwords, unknown)
            columns = ChainMap({word: own + n for n, word in enumerate(found)}, columns)
            weights = np.append(weights, np.full(len(found), self.unseen, np.float32))
            pieced = np.stack(list(found.values())) if found else pieced
        means = _means(split, columns, weights)
        pooled = means[:, :own] @ self.vectors + means[:, own:] @ pieced
        return np.asarray(pooled, np.float32)


def _pieced(subwords: Subwords, unknown: AbstractSet[str]) -> dict[str, Vectors]:
    """The vectors of the words that have pieces, words in a fixed order."""
    found = sorted(unknown)
    vectors = subwords.vectors(found)
    return {word: vector for word, vector in zip(found, vectors) if vector.any()}


def _means(
    texts: Sequence[Sequence[str]], columns: Mapping[str, int], weights: Vectors
) -> sparse.csr_array:
    """What multiplies the words' vectors, float32 ``[texts, words]``: weight times count, by the
    number of the text's known words. The words of a text are in a fixed order."""
    found: list[npt.NDArray[np.int64]] = []
    counts: list[npt.NDArray[np.int64]] = []
    for text in texts:
        known = [columns[word] for word in text if word in columns]
        column, count = np.unique(np.asarray(known, np.int64), return_counts=True)
        found.append(column)
        counts.append(count)
    lengths = [len(column) for column in found]
    row = np.repeat(np.arange(len(texts)), lengths)
    column = np.concatenate([*found, np.zeros(0, np.int64)])
    count = np.concatenate([*counts, np.zeros(0, np.int64)])
    # A mean, not a sum: a text of 100,000 words keeps its precision.
    share = count * weights[column] / np.bincount(row, count, minlength=len(texts))[row]
    ends = np.cumsum([0, *lengths])
    shape = (len(texts), len(weights))
    return sparse.csr_array((share.astype(np.float32), column, ends), shape=shape)


def _weights(config: Pooling, vocabulary: Sequence[str], training: Sequence[str]) -> Vectors:
    """The weight of each word, float32 ``[words]``; see :class:`Pooling` for the formulas."""
    if config.pooling == "mean" or not training:
        return np.ones(len(vocabulary), np.float32)
    texts = [words(text) for text in training]
    if config.pooling == "idf":
        return idf(texts, vocabulary)
    counts = Counter(word for text in texts for word in text)
    share = np.array([counts[word] for word in vocabulary], np.float64) / max(counts.total(), 1)
    return (config.sif_a / (config.sif_a + share)).astype(np.float32)


def _first_direction(pooled: Vectors) -> Vectors:
    """The first right singular vector of the texts with a vector, float32 ``[d]``, not centred."""
    known = pooled[pooled.any(axis=1)].astype(np.float64)
    if len(known) < 2:
        raise EncoderError(
            "common_component = 'remove' needs at least two training texts with known words; "
            f"got {len(known)}: give the item texts, or use 'keep'"
        )
    _, vectors = np.linalg.eigh(known.T @ known)
    first = vectors[:, -1]
    sign = np.sign(first[np.argmax(np.abs(first))])
    return np.asarray(first * sign, np.float32)
