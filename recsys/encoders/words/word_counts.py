"""What is counted of the words of some texts: which are frequent, and which tell texts apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from recsys.ids import Vectors

Text = Sequence[str]
"""A text as its words."""


def frequent_words(texts: Sequence[Text], *, min_count: int, most: int) -> tuple[str, ...]:
    """The words that occur ``min_count`` times in all, the most frequent first, at most ``most``.

    Words that are equally frequent are in the order of the alphabet.

    Example:
        >>> frequent_words([["red", "lamp"], ["red", "rug", "lamp"]], min_count=2, most=9)
        ('lamp', 'red')
    """
    counts = Counter(word for text in texts for word in text)
    found = sorted((-count, word) for word, count in counts.items() if count >= min_count)
    return tuple(word for _, word in found[:most])


def idf(texts: Sequence[Text], vocabulary: Sequence[str]) -> Vectors:
    """``log((1 + N) / (1 + df(w))) + 1`` of each word w, float32 ``[words]``.

    df is the number of the N texts with w; a word of no text has a weight too (Sparck Jones, "A
    statistical interpretation of term specificity and its application in retrieval", 1972).

    Example:
        >>> idf([["red", "lamp"], ["red"]], ["red", "lamp"]).round(3).tolist()
        [1.0, 1.4049999713897705]
    """
    documents = Counter(word for text in texts for word in set(text))
    df = np.array([documents[word] for word in vocabulary], np.float64)
    return (np.log((1 + len(texts)) / (1 + df)) + 1).astype(np.float32)
