"""Candidates as columns: rows, their place in the list of each source, and their score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.ids import Rows, Vectors

Columns = Mapping[str, npt.NDArray[Any]]
_CONSTANT = 60.0
"""Constant of reciprocal rank fusion."""


@dataclass(frozen=True, eq=False)
class Retrieved:
    """The list of one source, best first.

    Attributes:
        rows: Item rows, int32 ``[n]``; of a row that is there twice, the first counts.
        scores: Score per row, float32 ``[n]``, comparable within the source.

    Example:
        >>> Retrieved(np.array([4, 2], np.int32), np.array([0.5, 0.25], np.float32)).rows.tolist()
        [4, 2]
    """

    rows: Rows
    scores: Vectors


@dataclass(frozen=True, eq=False)
class Candidates:
    """Candidates in their current order, best first; each row is there once.

    Attributes:
        rows: Item rows, int32 ``[n]``.
        sources: Names of the sources.
        ranks: Rank from 1 in the list of each source, float32 ``[n, s]``; NaN where it did not
            return the row.
        source_scores: Score of each source, float32 ``[n, s]``; NaN where it did not return it.
        scores: Current score, float32 ``[n]``.
        columns: Arrays of hydrated values by name, each with n entries in its first dimension.

    Example:
        >>> popular = Retrieved(np.array([4, 2], np.int32), np.array([9, 8], np.float32))
        >>> fresh = Retrieved(np.array([2], np.int32), np.array([1], np.float32))
        >>> merged = merge({"popular": popular, "fresh": fresh})
        >>> merged.rows.tolist(), merged.ranks.tolist()
        ([2, 4], [[2.0, 1.0], [1.0, nan]])
    """

    rows: Rows
    sources: tuple[str, ...]
    ranks: Vectors
    source_scores: Vectors
    scores: Vectors
    columns: Columns = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, positions: npt.NDArray[Any]) -> Candidates:
        """The candidates at some positions, in their order, or those of a mask."""
        return Candidates(
            self.rows[positions],
            self.sources,
            self.ranks[positions],
            self.source_scores[positions],
            self.scores[positions],
            {name: values[positions] for name, values in self.columns.items()},
        )

    def with_columns(self, columns: Columns) -> Candidates:
        """The candidates with further columns."""
        return replace(self, columns={**self.columns, **columns})

    def ordered_by(self, scores: Vectors) -> Candidates:
        """The candidates with new scores, the highest first; scores that are not finite come last.

        Candidates with equal scores keep their order.
        """
        finite = np.isfinite(scores)
        order = np.argsort(np.where(finite, -scores, np.inf), kind="stable")
        if not finite.all():  # Of the infinite keys, -inf scores are also last.
            order = np.concatenate([order[finite[order]], order[~finite[order]]])
        return replace(self, scores=scores.astype(np.float32, copy=False)).take(order)

    def positions_of(self, rows: Rows) -> npt.NDArray[np.int64]:
        """Position of each row, int64, or -1 where it is no candidate."""
        if not len(self.rows):
            return np.full(len(rows), -1, np.int64)
        order = np.argsort(self.rows, kind="stable")
        at = np.minimum(np.searchsorted(self.rows, rows, sorter=order), len(order) - 1)
        found = order[at]
        return np.where(self.rows[found] == rows, found, -1)


def merge(
    lists: Mapping[str, Retrieved], *, weights: Mapping[str, float] | None = None
) -> Candidates:
    """The rows of all lists, each once, ordered by the weighted sum of their reciprocal ranks.

    Args:
        lists: List of each source, by its name; the order of the names breaks ties.
        weights: Weight per source; 1 where it has none.
    """
    names = tuple(lists)
    given = [lists[name].rows for name in names]
    rows, first, inverse = np.unique(
        np.concatenate([*given, np.empty(0, np.int32)]), return_index=True, return_inverse=True
    )
    ranks = np.full((len(rows), len(names)), np.nan, np.float32)
    scores = np.full((len(rows), len(names)), np.nan, np.float32)
    begin = 0
    for column, name in enumerate(names):
        found = lists[name]
        # In reverse, so that the first of equal rows is written last.
        own = inverse[begin : begin + len(found.rows)][::-1]
        ranks[own, column] = np.arange(len(own), 0, -1)
        scores[own, column] = found.scores[::-1]
        begin += len(own)
    weight = np.array([1.0 if weights is None else weights.get(name, 1.0) for name in names])
    parts = np.where(np.isnan(ranks), 0, weight / (_CONSTANT + ranks.astype(np.float64)))
    fused = np.zeros(len(rows), np.float64)
    for part in parts.T:  # in the order of the names, as the sum is rounded
        fused += part
    order = np.lexsort((first, -fused))
    made = Candidates(rows.astype(np.int32), names, ranks, scores, fused.astype(np.float32))
    return made.take(order)


def concatenated(parts: Sequence[Retrieved]) -> Retrieved:
    """One list of several, the first of each before the second of each, and so on."""
    if not parts:
        return Retrieved(np.empty(0, np.int32), np.empty(0, np.float32))
    indices = np.concatenate([np.arange(len(part.rows)) for part in parts])
    order = np.argsort(indices, kind="stable")
    rows = np.concatenate([part.rows for part in parts])[order]
    scores = np.concatenate([part.scores for part in parts])[order]
    _, first = np.unique(rows, return_index=True)
    first.sort()
    return Retrieved(rows[first].astype(np.int32), scores[first].astype(np.float32))
