"""Vectors of words that a fastText file does not hold, from their subwords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.errors import EncoderError
from recsys.ids import Vectors

_AT_ONCE = 4_096
"""Subwords summed at once: a word may have 100,000 letters."""


@dataclass(frozen=True, eq=False)
class Subwords:
    """The character n-grams of a fastText model.

    Bojanowski, Grave, Joulin, Mikolov, "Enriching word vectors with subword information", TACL
    2017, section 3.2: with the word between ``<`` and ``>``, and G its character n-grams of length
    ``shortest`` to ``longest``, each hashed (FNV-1a) to one of the buckets z,

        v(word) = 1 / |G| * sum over g in G of z[hash(g)]

    Attributes:
        buckets: Vectors of the hashed subwords, float32 ``[b, d]``.
        shortest: Number of letters of the shortest subword.
        longest: Number of letters of the longest subword.

    Example:
        >>> pieces = Subwords(np.ones((10, 2), np.float32), 3, 6)
        >>> pieces.vectors(["lamp"]).tolist()
        [[1.0, 1.0]]
    """

    buckets: Vectors
    shortest: int
    longest: int

    def __post_init__(self) -> None:
        if not len(self.buckets) or not 0 < self.shortest <= self.longest:
            raise EncoderError(
                f"expected subwords; there are {len(self.buckets)} buckets for subwords of "
                f"{self.shortest} to {self.longest} letters: get the word-vector file again"
            )
        if not np.isfinite(self.buckets).all():
            raise EncoderError(
                "the vector of a subword is not finite; get the word-vector file again"
            )

    def vectors(self, words: Sequence[str]) -> Vectors:
        """float32 ``[words, d]``; zeros for a word without subwords."""
        from gensim.models.fasttext import ft_ngram_hashes

        found = np.zeros((len(words), self.buckets.shape[1]), np.float32)
        for row, word in enumerate(words):
            pieces = ft_ngram_hashes(word, self.shortest, self.longest, len(self.buckets))
            for start in range(0, len(pieces), _AT_ONCE):
                found[row] += self.buckets[pieces[start : start + _AT_ONCE]].sum(axis=0)
            found[row] /= max(len(pieces), 1)
        return found
