"""Bags of rows, one a query, any length: what a user met or searched for before a moment."""

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
        rows: Bag after bag, int32 ``[r]``; a row may be there more than once.
        offsets: Where each bag begins and ends, int64 ``[b + 1]``.

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
        """int64 ``[b]``."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> Rows:
        """Which bag each of ``rows`` lies in, int32 ``[r]``, ascending."""
        return np.repeat(np.arange(len(self), dtype=np.int32), self.lengths)

    def bag(self, at: int) -> Rows:
        """One bag's rows."""
        return self.rows[self.offsets[at] : self.offsets[at + 1]]

    def at(self, at: Positions) -> Bags:
        """The bags at these places, in their order."""
        lengths = self.lengths[at]
        return Bags(self.rows[ranges(self.offsets[:-1][at], lengths)], offsets_of(lengths))

    def check(self, what: str, size: int) -> None:
        """Refuse rows that are not below ``size``.

        Raises:
            DataError: A row is out of range.
        """
        if len(self.rows) and not 0 <= int(self.rows.min()) <= int(self.rows.max()) < size:
            raise DataError(
                f"{what} must be rows from 0 to {size - 1}; they reach from {self.rows.min()} to "
                f"{self.rows.max()}"
            )


def met_before(log: Interactions, positions: Positions, window: int) -> Bags:
    """The last ``window`` items that the user had met before each position of a log."""
    lengths = np.minimum(positions - log.offsets[log.user[positions]], window)
    return Bags(log.item[ranges(positions - lengths, lengths)], offsets_of(lengths))


def vocabulary(log: Interactions, min_count: int) -> IdMap:
    """The words that at least ``min_count`` searches of a log hold, the most frequent first.

    Equally frequent words are in the order of the alphabet.
    """
    times = np.bincount(log.terms, minlength=len(log.phrases))
    counts: dict[str, int] = {}
    for phrase, count in zip(log.phrases, times.tolist()):
        for word in set(words(phrase)) if count else ():
            counts[word] = counts.get(word, 0) + count
    often = [word for word, count in counts.items() if count >= min_count]
    return IdMap.of("word", sorted(often, key=lambda word: (-counts[word], word)))


@dataclass(frozen=True, eq=False)
class SearchedWords:
    """The words that each user of a log had searched for before any moment.

    Attributes:
        log: Interactions, some of which a search led to.
        words: The words that count; others are left out.
        last: How many of the latest searches count.

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
        """The position at which each user's interactions of ``time`` and later begin, ``[b]``."""
        moments, keys = self._moments
        sought = user.astype(np.int64) * (len(moments) + 1) + np.searchsorted(moments, time)
        return np.searchsorted(keys, sought).astype(np.int64)

    def before(
        self, positions: Positions, *, users: Rows | None = None, now: Rows | None = None
    ) -> Bags:
        """The words searched for before each position, and those of the phrase ``now``.

        Args:
            positions: Int64 ``[b]``.
            users: Whose searches count, int32 ``[b]``; None takes the user at each position.
            now: Rows of ``log.phrases``, int32 ``[b]``, 0 for no search at this moment.
        """
        users = self.log.user[positions] if users is None else users
        stop = np.searchsorted(self._searches, positions)
        first = np.searchsorted(self._searches, self.log.offsets[users])
        lengths = np.minimum(stop - first, self.last).astype(np.int64)
        earlier = self.log.terms[self._searches[ranges(stop - lengths, lengths)]]
        at_once = np.zeros(len(positions), np.int32) if now is None else now
        phrases = np.insert(earlier, np.cumsum(lengths), at_once)
        held = self._phrases.at(phrases.astype(np.int64))
        # The words of a query's phrases, one more than its earlier searches, lie side by side.
        return Bags(held.rows, held.offsets[offsets_of(lengths + 1)])

    @cached_property
    def _moments(self) -> tuple[npt.NDArray[np.int64], Positions]:
        """The different times of the log, and one ascending number for each user and time."""
        moments, ranks = np.unique(self.log.time, return_inverse=True)
        return moments, self.log.user.astype(np.int64) * (len(moments) + 1) + ranks

    @cached_property
    def _searches(self) -> Positions:
        """Positions of the log that a search led to, ascending."""
        return np.flatnonzero(self.log.terms)

    @cached_property
    def _phrases(self) -> Bags:
        """The known words of each phrase."""
        return bags_of_words(self.words, self.log.phrases)


def bags_of_words(vocabulary: IdMap, texts: Sequence[str]) -> Bags:
    """Each text's words as rows; words that the vocabulary does not hold are left out.

    Example:
        >>> bags_of_words(IdMap.of("word", ["red", "lamp"]), ["A red, red rug", ""]).bag(0).tolist()
        [0, 0]
    """
    row = {word: at for at, word in enumerate(vocabulary.index)}
    return Bags.of([[row[word] for word in words(text) if word in row] for text in texts])
