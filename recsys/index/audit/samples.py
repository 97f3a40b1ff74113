"""One sampled query, and the comparison of its answer with the exact one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.ids import Rows, Vectors
from recsys.index.api import Index
from recsys.index.audit.figures import SearchKind
from recsys.index.rows import RowSet


@dataclass(frozen=True, eq=False)
class Sample:
    """A query of a live search with its answer.

    Attributes:
        label: Name of the searched index, such as the name of its space.
        index: Index that answered, whose rows never change; the truth is its exact answer.
        query: float32 ``[d]``.
        k: Number of rows requested.
        exclude: Rows that must not be hits, or None.
        allowed: Rows that may be hits, or None for all.
        filtered: Whether ``allowed`` comes from a filter.
        rows: Rows of the answer, int32 ``[at most k]``.
        scores: Scores of the answer, float32 ``[at most k]``.
    """

    label: str
    index: Index
    query: Vectors
    k: int
    exclude: Rows | None
    allowed: RowSet | None
    filtered: bool
    rows: Rows
    scores: Vectors

    @property
    def kinds(self) -> tuple[SearchKind, ...]:
        """Kinds of search in whose figures the sample counts."""
        delta: tuple[SearchKind, ...] = ("delta",) if self.index.changes else ()
        if self.filtered:
            return ("filtered", *delta)
        excluded = self.exclude is not None and len(self.exclude) > 0
        return ("excluded" if excluded else "plain", *delta)

    def compare(self) -> Comparison:
        """Comparison with the exact answer of the same index."""
        exclude = None if self.exclude is None else [self.exclude]
        truth = self.index.exact.search(
            self.query[None], self.k, exclude=exclude, allowed=self.allowed
        )
        return compare(self.rows, self.scores, *truth.at(0))


@dataclass(frozen=True)
class Comparison:
    """An answer next to the exact one.

    Attributes:
        recall: Share of the exact answer found, or None where no row was eligible.
        wrong: Number of rows in the answer that no exact answer can hold, such as an excluded one.
    """

    recall: float | None
    wrong: int


def compare(rows: Rows, scores: Vectors, true_rows: Rows, true_scores: Vectors) -> Comparison:
    """Compare the rows and scores of an answer with those of the exact answer.

    A row that ties with the last score of the exact answer counts as found: either is right.

    Example:
        >>> scores = np.array([3, 2], np.float32)
        >>> compare(np.array([5, 8]), scores, np.array([5, 7]), scores)
        Comparison(recall=1.0, wrong=0)
    """
    if not len(true_rows):
        return Comparison(None, len(rows))
    known = np.isin(rows, true_rows)
    ties = ~known & (scores == true_scores[-1])
    found = min(int(known.sum()) + int(ties.sum()), len(true_rows))
    return Comparison(found / len(true_rows), int((~known & (scores > true_scores[-1])).sum()))
