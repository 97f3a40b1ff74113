"""The out-of-vocabulary report: words of texts for which an encoder has no vector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from recsys.encoders.words.tokens import script_of, words

Known = Literal["whole", "pieces", "no"]
"""A word has a vector of its own, one from its subwords, or none."""

MOST = 10
"""Number of words without a vector that are listed."""


FEW = 5
"""Number of words that are listed per script."""


@dataclass(frozen=True)
class ScriptCoverage:
    """Coverage of the words in one script.

    Attributes:
        words: Number of words, repetitions included.
        share: Share of them with a vector, 0 to 1.
        examples: Most frequent words, as the texts were split.
    """

    words: int
    share: float
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Coverage:
    """Coverage of the words of some texts by an encoder.

    Attributes:
        words: Number of words, repetitions included.
        known: Number of words with a vector of their own.
        pieced: Number of words with a vector from their subwords.
        unknown: Most frequent words without a vector, with their counts.
        scripts: Coverage per script of the words' first characters, the most frequent first.

    Example:
        >>> found = coverage_of(["red lamp", "Red rug"], lambda w: "no" if w == "rug" else "whole")
        >>> found.known, found.share, found.unknown
        (3, 0.75, (('rug', 1),))
    """

    words: int
    known: int
    pieced: int
    unknown: tuple[tuple[str, int], ...]
    scripts: Mapping[str, ScriptCoverage] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Share of words with a vector, 0 to 1; 1 if there are no words."""
        return (self.known + self.pieced) / self.words if self.words else 1.0

    def to_dict(self) -> dict[str, Any]:
        """The coverage as JSON values."""
        return {
            "words": self.words,
            "known": self.known,
            "from_pieces": self.pieced,
            "share_with_a_vector": round(self.share, 4),
            "most_frequent_without": dict(self.unknown),
            "scripts": {
                script: {
                    "words": found.words,
                    "share_with_a_vector": round(found.share, 4),
                    "most_frequent": list(found.examples),
                }
                for script, found in self.scripts.items()
            },
        }


@runtime_checkable
class KnowsWords(Protocol):
    """A text encoder that looks words up and reports those it does not find."""

    def coverage(self, texts: Iterable[str]) -> Coverage:
        """Count the words of ``texts`` that have no vector."""
        ...


@runtime_checkable
class CountsEntries(Protocol):
    """A text encoder that read its words from a file.

    Attributes:
        entries: Number of entries of the file, and of those that gave no word.
    """

    entries: Mapping[str, int]


def coverage_of(texts: Iterable[str], known: Callable[[str], Known]) -> Coverage:
    """Count the words of ``texts`` by ``known``; equal counts in alphabetical order."""
    counts = Counter(word for text in texts for word in words(text))
    by: dict[Known, list[str]] = {"whole": [], "pieces": [], "no": []}
    for word in counts:
        by[known(word)].append(word)
    whole, pieced = (sum(counts[word] for word in by[how]) for how in ("whole", "pieces"))
    unknown = sorted((-counts[word], word) for word in by["no"])[:MOST]
    without = tuple((word, -count) for count, word in unknown)
    return Coverage(counts.total(), whole, pieced, without, _per_script(counts, set(by["no"])))


def _per_script(counts: Counter[str], unknown: set[str]) -> dict[str, ScriptCoverage]:
    scripts: dict[str, list[str]] = {}
    for word in sorted(counts, key=lambda word: (-counts[word], word)):
        scripts.setdefault(script_of(word), []).append(word)
    found = {}
    for script, distinct in scripts.items():
        total = sum(counts[word] for word in distinct)
        known = sum(counts[word] for word in distinct if word not in unknown)
        found[script] = ScriptCoverage(total, known / total, tuple(distinct[:FEW]))
    return dict(sorted(found.items(), key=lambda item: -item[1].words))
