"""Fusion of the lists of several spaces into the order of their scores.

Fused scores are summed in float64 in the order of the spaces' names and rounded to float32; ties go
to the lower row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.ids import Rows, Vectors
from recsys.retrieval.space import Space
from recsys_client.fusion import ReciprocalRank, WeightedSum

Totals = npt.NDArray[np.float64]
_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class RankedRows:
    """Rows, best first, and their scores, float32."""

    rows: Rows
    scores: Vectors

    @classmethod
    def of(cls, rows: Rows, total: Totals) -> RankedRows:
        """Rows in the order of their rounded scores."""
        scores = _rounded(total)
        order = np.lexsort((rows, -scores))
        return cls(rows[order], scores[order])


def fused_by_rank(
    fusion: ReciprocalRank, lists: Mapping[str, RankedRows], depth: int
) -> RankedRows:
    """The rows with a score above 0, in order; the score of every other eligible row is 0.

    Args:
        fusion: Constant and weights.
        lists: First rows of each space, at least ``depth`` or all that are eligible.
        depth: Number of rows of each list that count.
    """
    rows = _union(lists)
    total = np.zeros(len(rows), np.float64)
    for name, listed in lists.items():
        counted = listed.rows[:depth]
        ranks = np.arange(1, len(counted) + 1)
        positions = np.searchsorted(rows, counted)
        total[positions] += fusion.weight(name) / (fusion.constant + ranks)
    return RankedRows.of(rows[total > 0], total[total > 0])


def fused_by_sum(
    fusion: WeightedSum,
    lists: Mapping[str, RankedRows],
    open_: frozenset[str],
    vectors: Mapping[str, Vectors],
    spaces: Mapping[str, Space],
) -> RankedRows:
    """The first rows by the sum, in order: all that no row outside the lists can precede.

    Args:
        fusion: Weights.
        lists: First rows of each space.
        open_: Names of the spaces whose list may continue.
        vectors: Query vector of each space.
        spaces: Spaces by name.
    """
    rows = _union(lists)
    total = np.zeros(len(rows), np.float64)
    ceiling = 0.0
    for name, listed in lists.items():
        space, weight = spaces[name], fusion.weight(name)
        total += weight * space.scores(rows, vectors[name]).astype(np.float64)
        # Outside a list: no more than its last in this space, or no vector here and so 0.
        highest = float(listed.scores[-1]) if name in open_ else 0.0
        ceiling += weight * (highest if space.mask.all() else max(highest, 0.0))
    ranked = RankedRows.of(rows, total)
    if not open_:
        return ranked
    # Rounding keeps order, so the rounded ceiling is not below any rounded score outside. At a tie
    # a lower row may be outside.
    first = int(np.count_nonzero(ranked.scores > _rounded(np.array([ceiling]))[0]))
    return RankedRows(ranked.rows[:first], ranked.scores[:first])


def _union(lists: Mapping[str, RankedRows]) -> Rows:
    return np.unique(np.concatenate([listed.rows for listed in lists.values()]))


def _rounded(total: Totals) -> Vectors:
    scores: Vectors = np.clip(total, -_MAX, _MAX).astype(np.float32)
    return scores
