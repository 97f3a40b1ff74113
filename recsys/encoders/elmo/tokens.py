"""Inputs of the language model of "elmo": a vocabulary, windows and padded batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from recsys.encoders.elmo.config import ElmoConfig
from recsys.encoders.words.counting import frequent_words, idf
from recsys.encoders.words.tokens import Text
from recsys.ids import Vectors

Ids = npt.NDArray[np.int32]

START, END, UNKNOWN, FIRST = 0, 1, 2, 3
"""Ids of a window's two edges and of an unknown word, and the first id of a known word."""
SYMBOLS = 261
"""Number of symbols: 0 is padding, 1 to 256 are the bytes of UTF-8, then the begin and end of a
word, START, END."""
LONGEST_WORD = 48
"""Number of bytes of a word that are read."""
_BEGINS, _ENDS = 257, 258
_JITTER = 6
"""Difference in length, in words, of windows that are shuffled together."""


@dataclass(frozen=True, eq=False)
class WindowBatch:
    """Windows with their edges, padded to the longest: b windows of at most t positions.

    Attributes:
        distinct: Distinct words of the batch: ids, int32 ``[u]``, or with characters as tokens,
            symbols ``[u, s]``.
        index: Row of ``distinct`` at each position, int32 ``[b, t]``.
        ids: Id in the vocabulary at each position, int32 ``[b, t]``.
        lengths: Number of positions in use, edges included, int32 ``[b]``.
        weights: Weight of each position in the vector of its text, float32 ``[b, t]``; 0 for edges
            and padding.
    """

    distinct: Ids
    index: Ids
    ids: Ids
    lengths: Ids
    weights: Vectors


@dataclass(frozen=True, eq=False)
class ElmoVocabulary:
    """The known words and their weights.

    Attributes:
        tokens: Unit of reading.
        words: Known words, the most frequent first.
        weights: Weight of each id in the vector of a text, float32 ``[3 + words]``.

    Example:
        >>> config = ElmoConfig(min_count=1, pooling="mean")
        >>> vocabulary = ElmoVocabulary.of(config, [["red", "lamp"], ["red", "rug"]])
        >>> vocabulary.batch([["red", "sofa"]]).ids.tolist()
        [[0, 3, 2, 1]]
    """

    tokens: Literal["words", "characters"]
    words: tuple[str, ...]
    weights: Vectors

    @classmethod
    def of(cls, config: ElmoConfig, texts: Sequence[Text]) -> ElmoVocabulary:
        """The words of ``texts`` that occur ``min_count`` times, at most ``max_vocabulary``."""
        known = frequent_words(texts, min_count=config.min_count, most=config.max_vocabulary)
        weights = np.ones(FIRST + len(known), np.float32)
        if config.pooling == "idf":
            weights = idf(texts, [*[""] * FIRST, *known])  # "" is not in any text
        weights[[START, END]] = 0
        if config.tokens == "words":
            weights[UNKNOWN] = 0
        return cls(config.tokens, known, weights)

    def __len__(self) -> int:
        return FIRST + len(self.words)

    def ids(self, text: Text) -> Ids:
        """The id of each word, int32 ``[words]``."""
        return np.array([self._ids.get(word, UNKNOWN) for word in text], np.int32)

    def batch(self, windows: Sequence[Text]) -> WindowBatch:
        """A batch of one or more windows."""
        lengths = np.array([len(window) + 2 for window in windows], np.int32)
        ids = np.full((len(windows), int(lengths.max())), END, np.int32)
        ids[:, 0] = START
        for row, window in enumerate(windows):
            ids[row, 1 : len(window) + 1] = self.ids(window)
        if self.tokens == "words":
            distinct, flat = np.unique(ids, return_inverse=True)
            index = flat.reshape(ids.shape).astype(np.int32)
        else:
            distinct, index = _spelled(windows, ids)
        weights = self.weights[ids]
        weights[np.arange(ids.shape[1]) >= lengths[:, None]] = 0
        return WindowBatch(distinct, index, ids, lengths, weights)

    @cached_property
    def _ids(self) -> Mapping[str, int]:
        return {word: FIRST + number for number, word in enumerate(self.words)}


def _spelled(windows: Sequence[Text], ids: Ids) -> tuple[Ids, Ids]:
    """The symbols of each distinct word, int32 ``[u, s]``, and their index ``[b, t]``."""
    rows: dict[str, int] = {}
    index = ids.clip(max=END)  # The edges are rows 0 and 1.
    for number, window in enumerate(windows):
        found = [2 + rows.setdefault(word, len(rows)) for word in window]
        index[number, 1 : len(window) + 1] = found
    spelled = [word.encode("utf-8", "replace")[:LONGEST_WORD] for word in rows]
    symbols = np.zeros((2 + len(rows), 2 + max(map(len, spelled), default=1)), np.int32)
    symbols[:2, :3] = [[_BEGINS, edge, _ENDS] for edge in (_ENDS + 1, _ENDS + 2)]
    for row, letters in enumerate(spelled, start=2):
        symbols[row, 0] = _BEGINS
        symbols[row, 1 : len(letters) + 1] = np.frombuffer(letters, np.uint8).astype(np.int32) + 1
        symbols[row, len(letters) + 1] = _ENDS
    return symbols, index


def windows_of(text: Text, max_words: int) -> list[Text]:
    """``text`` in the fewest windows of at most ``max_words`` words, of similar length.

    Example:
        >>> windows_of(["a", "red", "lamp"], 2)
        [['a'], ['red', 'lamp']]
    """
    pieces = -(-len(text) // max_words)
    bounds = [len(text) * number // pieces for number in range(pieces + 1)] if pieces else []
    return [text[start:end] for start, end in zip(bounds, bounds[1:])]


def window_batches(
    windows: Sequence[Text], batch_words: int, rng: np.random.Generator | None = None
) -> list[npt.NDArray[np.intp]]:
    """Positions of ``windows``, long ones first, in batches of about ``batch_words`` words.

    With ``rng`` the batches, and windows of almost the same length, are shuffled.
    """
    lengths = np.array([len(window) for window in windows], np.int64)
    jitter = 0 if rng is None else _JITTER * rng.random(len(windows))
    order = np.argsort(-(lengths + jitter), kind="stable")
    batches = []
    start = 0
    while start < len(order):
        longest = int(lengths[order[start]]) + 2
        rows = max(1, batch_words // longest)
        batches.append(order[start : start + rows])
        start += rows
    return batches if rng is None else [batches[number] for number in rng.permutation(len(batches))]
