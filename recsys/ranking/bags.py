"""Bags of rows of any length: items of histories, and words of earlier searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.encoders.words.tokens import words
from recsys.errors import DataError
from recsys.ids import IdMap, Rows
from recsys.interactions import Interactions
from recsys.splits.held_out import Offsets, offsets_of, ranges

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Bags:
    """b bags of rows.

    Attributes:
        rows: Rows of all bags, int32 ``[r]``; a row may occur more than once.
        offsets: Boundaries of the bags, int64 ``[b + 1]``.

    Example:
        >>> bags = Bags.of([[4, 2], [], [7]])
        >>> len(bags), bags.bag(0).tolist(), bags.owners.tolist()
        (3, [4, 2], [0, 0, 2])
    """

    rows: Rows
    offsets: Offsets

    @classmethod
    def of(cls, bags: Sequence[Sequence[int] | Rows]) -> Bags:
        """Bags from lists of rows."""
        parts = [np.asarray(bag, np.int32) for bag in bags]
        rows = np.concatenate(parts) if parts else np.zeros(0, np.int32)
        return cls(rows, offsets_of([len(part) for part in parts]))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Offsets:
        """Number of rows per bag, int64 ``[b]``."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> Rows:
        """Index of the bag of each of ``rows``, int32 ``[r]``, ascending."""
        return np.repeat(np.arange(len(self), dtype=np.int32), self.lengths)

    def bag(self, at: int) -> Rows:
        """Rows of one bag."""
        return self.rows[self.offsets[at] : self.offsets[at + 1]]

    def at(self, at: Positions) -> Bags:
        """The bags at these indices, in their order."""
        lengths = self.lengths[at]
        return Bags(self.rows[ranges(self.offsets[:-1][at], lengths)], offsets_of(lengths))

    def check(self, name: str, size: int) -> None:
        """Check that all rows are below ``size``.

        Raises:
            DataError: A row is out of range.
        """
        if len(self.rows) and not 0 <= int(self.rows.min()) <= int(self.rows.max()) < size:
            low, high = self.rows.min(), self.rows.max()
            raise DataError(f"{name} must be rows from 0 to {size - 1}; got {low} to {high}")


def history_bags(log: Interactions, positions: Positions, window: int) -> Bags:
    """The last ``window`` items of the user's history at each position of a log."""
    lengths = np.minimum(positions - log.offsets[log.user[positions]], window)
    return Bags(log.item[ranges(positions - lengths, lengths)], offsets_of(lengths))


def vocabulary(log: Interactions, min_count: int) -> IdMap:
    """Words in at least ``min_count`` searches of a log, by frequency, then alphabetically."""
    times = np.bincount(log.terms, minlength=len(log.phrases))
    counts: dict[str, int] = {}
    for phrase, count in zip(log.phrases, times.tolist()):
        for word in set(words(phrase)) if count else ():
            counts[word] = counts.get(word, 0) + count
    often = [word for word, count in counts.items() if count >= min_count]
    return IdMap.of("word", sorted(often, key=lambda word: (-counts[word], word)))


@dataclass(frozen=True, eq=False)
class SearchedWords:
    """Words of each user's earlier searches, at any moment.

    Attributes:
        log: Interactions, some of them with search terms.
        words: Vocabulary; other words are ignored.
        last: Number of last searches that are read.

    Example:
        >>> users, items = IdMap.of("user", ["ann"]), IdMap.of("item", ["lamp", "rug"])
        >>> log = Interactions.of(users, items, user=[0, 0], item=[0, 1], time=[10, 20],
        ...     phrases=("", "red lamp", "rug"), terms=[1, 2])
        >>> searched = SearchedWords(log, vocabulary(log, 1), last=5)
        >>> bags = searched.before(searched.positions(np.array([0, 0]), np.array([10, 15])))
        >>> [searched.words.ids(bags.bag(at)) for at in range(2)]
        [[], ['red', 'lamp']]
    """

    log: Interactions
    words: IdMap
    last: int

    def positions(self, user: Rows, time: npt.NDArray[np.int64]) -> Positions:
        """First position of each user's interactions at ``time`` or later, ``[b]``."""
        times, keys = self._times
        codes = user.astype(np.int64) * (len(times) + 1) + np.searchsorted(times, time)
        return np.searchsorted(keys, codes).astype(np.int64)

    def before(
        self, positions: Positions, *, users: Rows | None = None, now: Rows | None = None
    ) -> Bags:
        """Words of the searches before each position, and of the phrase ``now``.

        Args:
            positions: Positions of the log, int64 ``[b]``.
            users: Users, int32 ``[b]``; None takes the user at each position.
            now: Rows of ``log.phrases``, int32 ``[b]``, 0 for no current search.
        """
        users = self.log.user[positions] if users is None else users
        stop = np.searchsorted(self._searches, positions)
        first = np.searchsorted(self._searches, self.log.offsets[users])
        lengths = np.minimum(stop - first, self.last).astype(np.int64)
        earlier = self.log.terms[self._searches[ranges(stop - lengths, lengths)]]
        current = np.zeros(len(positions), np.int32) if now is None else now
        phrases = np.insert(earlier, np.cumsum(lengths), current)
        words = self._phrases.at(phrases.astype(np.int64))
        # Each bag joins the words of its phrases: the earlier ones and the current one.
        return Bags(words.rows, words.offsets[offsets_of(lengths + 1)])

    @cached_property
    def _times(self) -> tuple[npt.NDArray[np.int64], Positions]:
        """Distinct times of the log, and an ascending code of each interaction's user and time."""
        times, ranks = np.unique(self.log.time, return_inverse=True)
        return times, self.log.user.astype(np.int64) * (len(times) + 1) + ranks

    @cached_property
    def _searches(self) -> Positions:
        """Positions of the log with search terms, ascending."""
        return np.flatnonzero(self.log.terms)

    @cached_property
    def _phrases(self) -> Bags:
        """Known words of each phrase."""
        return bags_of_words(self.words, self.log.phrases)


def bags_of_words(vocabulary: IdMap, texts: Sequence[str]) -> Bags:
    """Words of each text as rows; words outside the vocabulary are ignored.

    Example:
        >>> bags_of_words(IdMap.of("word", ["red", "lamp"]), ["A red, red rug", ""]).bag(0).tolist()
        [0, 0]
    """
    row = {word: at for at, word in enumerate(vocabulary.index)}
    return Bags.of([[row[word] for word in words(text) if word in row] for text in texts])
