"""The out-of-vocabulary report: which words of some texts an encoder has no vector for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from recsys.encoders.words.tokens import words

Known = Literal["whole", "pieces", "no"]
"""A word has a vector of its own, one from its pieces, or none."""

MOST = 10
"""So many of the words without a vector are named."""


@dataclass(frozen=True)
class Coverage:
    """How many of the words of some texts an encoder knows.

    Attributes:
        words: Words in all, each time they occur.
        known: Those with a vector of their own.
        pieced: Those with a vector from their pieces.
        unknown: The most frequent words without either, with their counts.

    Example:
        >>> found = coverage_of(["red lamp", "Red rug"], lambda w: "no" if w == "rug" else "whole")
        >>> found.known, found.share, found.unknown
        (3, 0.75, (('rug', 1),))
    """

    words: int
    known: int
    pieced: int
    unknown: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float:
        """The share of words with a vector, 0 to 1; 1 where there are no words."""
        return (self.known + self.pieced) / self.words if self.words else 1.0

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "words": self.words,
            "known": self.known,
            "from_pieces": self.pieced,
            "share_with_a_vector": round(self.share, 4),
            "most_frequent_without": dict(self.unknown),
        }


@runtime_checkable
class KnowsWords(Protocol):
    """A text encoder that looks words up, and so can say which ones it does not find."""

    def coverage(self, texts: Iterable[str]) -> Coverage:
        """Count the words of ``texts`` that have no vector."""
        ...


def coverage_of(texts: Iterable[str], known: Callable[[str], Known]) -> Coverage:
    """Count the words of ``texts`` by what is ``known`` of each; equal counts by the alphabet."""
    counts = Counter(word for text in texts for word in words(text))
    by: dict[Known, list[str]] = {"whole": [], "pieces": [], "no": []}
    for word in counts:
        by[known(word)].append(word)
    whole, pieced = (sum(counts[word] for word in by[how]) for how in ("whole", "pieces"))
    unknown = sorted((-counts[word], word) for word in by["no"])[:MOST]
    return Coverage(counts.total(), whole, pieced, tuple((word, -count) for count, word in unknown))
