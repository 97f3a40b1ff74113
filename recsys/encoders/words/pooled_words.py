"""Text encoders that average word vectors with weights."""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Iterable, MutableMapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.encoders.contents import Contents, texts_of
from recsys.encoders.encoder import Encoded
from recsys.encoders.storage import EncoderParts, StoredEncoder
from recsys.encoders.words.configs import LsaConfig, Pooling, Word2VecConfig, WordVectorsConfig
from recsys.encoders.words.counting import count_matrix, idf
from recsys.encoders.words.coverage import Coverage, Known, coverage_of
from recsys.encoders.words.subwords import Subwords
from recsys.encoders.words.tokens import Text, vocabulary_of, vocabulary_parts, words
from recsys.errors import EncoderError
from recsys.ids import Vectors

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing since Python 3.11


@dataclass(frozen=True, eq=False)
class PooledWords(StoredEncoder):
    """Base class over a vocabulary, and over the subwords of other words where it has them.

    Attributes:
        vocabulary: Words, lower case.
        vectors: Word vectors, float32 ``[words, d]``.
        weights: Pooling weight of each word, float32 ``[words]``.
        common: Direction that is removed, float32 ``[d]`` of length 1; or zeros.
        subwords: Source of vectors for words outside the vocabulary, or None.
        whole: Number of words, the first ones, with a vector of their own; the vectors of the
            others come from subwords.
        unseen: Weight of a word that no training text held.
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
        config: Any,
        vocabulary: Sequence[str],
        vectors: Vectors,
        training: Sequence[str],
        subwords: Subwords | None = None,
    ) -> Self:
        """Weigh the words by ``training``; without training texts all weights are equal."""
        finite = np.isfinite(vectors).all(axis=1)
        if not finite.all():
            bad = vocabulary[int(np.argmin(finite))]
            raise EncoderError(f"the vector of the word '{bad}' is not finite; get the file again")
        vectors, whole = np.ascontiguousarray(vectors, np.float32), len(vocabulary)
        split = [words(text) for text in training]
        if subwords is not None:
            unknown = {word for text in split for word in text} - set(vocabulary)
            found = _from_subwords(subwords, unknown)
            vocabulary = [*vocabulary, *found]
            vectors = np.concatenate([vectors, *(vector[None] for vector in found.values())])
        # No text holds the word "".
        *_, unseen = weights = word_weights(config, [*vocabulary, ""], split)
        none = np.zeros(vectors.shape[1], np.float32)
        rest = (subwords, whole, float(unseen))
        encoder = cls(config, tuple(vocabulary), vectors, weights[:-1], none, *rest)
        if config.common_component == "keep":
            return encoder
        return replace(encoder, common=_first_direction(encoder._pooled(split)))

    @classmethod
    def restore(cls, config: Any, parts: EncoderParts) -> Self:
        """The encoder of saved parts."""
        vocabulary = vocabulary_of(parts)
        own = (vocabulary, parts["vectors"], parts["weights"], parts["common"])
        if "buckets" not in parts:
            return cls(config, *own, whole=len(vocabulary))
        shortest, longest, whole = parts["pieces"].tolist()
        subwords = Subwords(parts["buckets"], shortest, longest)
        return cls(config, *own, subwords, whole, float(parts["unseen"]))

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return int(self.vectors.shape[1])

    def parts(self) -> EncoderParts:
        """Vocabulary, vectors and weights, and the subwords."""
        own = {
            **vocabulary_parts(self.vocabulary),
            "vectors": self.vectors,
            "weights": self.weights,
            "common": self.common,
        }
        if self.subwords is None:
            return own
        pieces = [self.subwords.shortest, self.subwords.longest, self.whole]
        return {
            **own,
            "buckets": self.subwords.buckets,
            "pieces": np.array(pieces, np.int64),
            "unseen": np.array(self.unseen, np.float32),
        }

    def encode(self, contents: Contents) -> Encoded:
        """See :class:`~recsys.encoders.encoder.Encoder`; a text without a known word is masked."""
        pooled = self._pooled([words(text) for text in texts_of(contents)])
        if self.common.any():
            before = np.linalg.norm(pooled, axis=1)
            pooled -= np.outer(pooled @ self.common, self.common)
            # The rounding error of a text that held nothing else must not become its vector.
            pooled[np.linalg.norm(pooled, axis=1) < 1e-5 * before] = 0.0
        return Encoded.of(pooled)

    def coverage(self, texts: Iterable[str]) -> Coverage:
        """Count the words of ``texts`` that have no vector."""

        def known(word: str) -> Known:
            if word in self._columns:
                return "whole" if self._columns[word] < self.whole else "pieces"
            return "pieces" if self.subwords and _from_subwords(self.subwords, {word}) else "no"

        return coverage_of(texts, known)

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {word: column for column, word in enumerate(self.vocabulary)}

    def _pooled(self, texts: Sequence[Text]) -> Vectors:
        """The weighted mean of each text's known words, float32 ``[texts, d]``, not scaled."""
        columns: MutableMapping[str, int] = self._columns
        weights, own = self.weights, len(self.vocabulary)
        found: dict[str, Vectors] = {}
        if self.subwords is not None:
            unknown = {word for text in texts for word in text} - columns.keys()
            found = _from_subwords(self.subwords, unknown)
            columns = ChainMap({word: own + n for n, word in enumerate(found)}, columns)
            weights = np.append(weights, np.full(len(found), self.unseen, np.float32))
        means = count_matrix(texts, columns, len(weights))
        # A mean, not a sum: a text of 100,000 words keeps its precision.
        totals = np.repeat(means.sum(axis=1), np.diff(means.indptr))
        means.data *= weights[means.indices] / totals
        means = means.astype(np.float32)
        if not found:
            return np.asarray(means @ self.vectors, np.float32)
        return np.asarray(
            means[:, :own] @ self.vectors + means[:, own:] @ np.stack(list(found.values())),
            np.float32,
        )


def _from_subwords(subwords: Subwords, unknown: AbstractSet[str]) -> dict[str, Vectors]:
    """The vectors of the words that have subwords, in alphabetical order."""
    found = sorted(unknown)
    vectors = subwords.vectors(found)
    return {word: vector for word, vector in zip(found, vectors) if vector.any()}


def word_weights(config: Pooling, vocabulary: Sequence[str], texts: Sequence[Text]) -> Vectors:
    """The weight of each word, float32 ``[words]``; see :class:`Pooling` for the formulas."""
    if config.pooling == "mean" or not texts:
        return np.ones(len(vocabulary), np.float32)
    if config.pooling == "idf":
        return idf(texts, vocabulary)
    counts = Counter(word for text in texts for word in text)
    share = np.array([counts[word] for word in vocabulary], np.float64) / max(counts.total(), 1)
    return (config.sif_a / (config.sif_a + share)).astype(np.float32)


def _first_direction(pooled: Vectors) -> Vectors:
    """The first right singular vector of the non-zero rows, not centred, float32 ``[d]``."""
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
