"""Counts of the words of texts: frequent words, inverse document frequencies, count matrices.

scikit-learn's vectorizers compute the same, but a server would load them (2 s, 67 MB) to encode
one query.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
from scipy import sparse

from recsys.encoders.words.tokens import Text
from recsys.errors import EncoderError
from recsys.ids import Vectors


def frequent_words(texts: Sequence[Text], *, min_count: int, most: int) -> tuple[str, ...]:
    """The words that occur ``min_count`` times in all, the most frequent first, at most ``most``.

    Equally frequent words are in alphabetical order.

    Example:
        >>> frequent_words([["red", "lamp"], ["red", "rug", "lamp"]], min_count=2, most=9)
        ('lamp', 'red')
    """
    counts = Counter(chain.from_iterable(texts))
    found = sorted((-count, word) for word, count in counts.items() if count >= min_count)
    return tuple(word for _, word in found[:most])


def no_frequent_words(min_count: int, where: str) -> EncoderError:
    """The error for texts without a word that is frequent enough."""
    return EncoderError(
        f"no word occurs {min_count} times in {where}: lower 'min_count', or give texts with words"
    )


def idf(texts: Sequence[Text], vocabulary: Sequence[str]) -> Vectors:
    """``log((1 + N) / (1 + df(w))) + 1`` of each word w, float32 ``[words]``.

    df(w) is the number of the N texts with w; a word of no text has a weight, too (Sparck Jones, "A
    statistical interpretation of term specificity and its application in retrieval", 1972).

    Example:
        >>> idf([["red", "lamp"], ["red"]], ["red", "lamp"]).round(3).tolist()
        [1.0, 1.4049999713897705]
    """
    documents = Counter(word for text in texts for word in set(text))
    df = np.array([documents[word] for word in vocabulary], np.float64)
    return (np.log((1 + len(texts)) / (1 + df)) + 1).astype(np.float32)


def count_matrix(texts: Sequence[Text], columns: Mapping[str, int], width: int) -> sparse.csr_array:
    """Counts of the words that have a column, float64 ``[texts, width]``.

    Example:
        >>> count_matrix([["red", "red", "rug"]], {"lamp": 0, "red": 1}, 2).toarray().tolist()
        [[0.0, 2.0]]
    """
    found = [[columns[word] for word in text if word in columns] for text in texts]
    ends = np.cumsum([0, *map(len, found)])
    column = np.fromiter(chain.from_iterable(found), np.int64, ends[-1])
    counts = sparse.csr_array((np.ones(len(column)), column, ends), shape=(len(texts), width))
    counts.sum_duplicates()
    return counts
