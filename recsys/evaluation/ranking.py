"""Rankings of the whole catalogue by score, and the positions of the targets.

Equal scores are listed by lower row, as the indexes list them. For metrics, a target follows all
other items with its score: otherwise a scorer that gives every item the same score would profit
from the order of the catalogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.ids import Mask, Rows
from recsys.splits.held_out import HeldOutQueries, Offsets, ranges

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Ranking:
    """The first n positions of each query's ranking.

    Attributes:
        rows: Item rows, int32 ``[q, n]``, best first; 0 where not ``valid``.
        valid: Whether the position has an item, bool ``[q, n]``.
        positions: Position (1, 2, ...) of each target, int32 ``[t]``; 0 beyond the first n.
        tied: Whether items beyond the first n have the score of the last one, bool ``[q]``.
    """

    rows: Rows
    valid: Mask
    positions: Rows
    tied: Mask

    @classmethod
    def concatenated(cls, parts: Sequence[Ranking]) -> Ranking:
        """The rankings of several batches as one."""
        names = [each.name for each in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def rank(scores: Scores, depth: int, target_rows: Rows, target_offsets: Offsets) -> Ranking:
    """The first ``depth`` positions of the items whose score, ``[q, items]``, is above -inf.

    ``target_rows`` and ``target_offsets`` are those of :class:`HeldOutQueries`.

    Example:
        >>> scores = np.array([[0.5, 2, 0.5, 0.5]], np.float32)
        >>> ranking = rank(scores, 4, np.array([0]), np.array([0, 1]))
        >>> ranking.rows.tolist(), ranking.positions.tolist()
        ([[1, 0, 2, 3]], [4])
    """
    rows, boundary, at_least = _top(scores, depth)
    listed = np.take_along_axis(scores, rows, axis=1)
    valid = listed > -np.inf
    width = rows.shape[1]
    owner = np.repeat(np.arange(len(scores)), np.diff(target_offsets))
    score = scores[owner, target_rows]
    # Last position of the items with the target's score.
    higher_or_equal = (listed[owner] >= score[:, None]).sum(axis=1)
    last = np.where(score > boundary[owner], higher_or_equal, at_least[owner])
    positions = last - _tied_targets_after(owner, score, target_rows)
    found = (score >= boundary[owner]) & (score > -np.inf) & (positions <= width)
    return Ranking(
        rows=np.where(valid, rows, 0).astype(np.int32),
        valid=valid,
        positions=np.where(found, positions, 0).astype(np.int32),
        tied=(at_least > width) & (boundary > -np.inf),
    )


def target_hits(
    positions: Rows, target_offsets: Offsets, depth: int, keep: Mask | None = None
) -> Mask:
    """Whether position 1 .. ``depth`` of each ranking is a target, bool ``[q, depth]``.

    ``positions`` and ``target_offsets`` are those of :func:`rank`; ``keep``, bool ``[t]``, selects
    targets.
    """
    hits = np.zeros((len(target_offsets) - 1, depth), np.bool_)
    owner = np.repeat(np.arange(len(hits)), np.diff(target_offsets))
    found = (positions > 0) & (positions <= depth)
    if keep is not None:
        found &= keep
    hits[owner[found], positions[found] - 1] = True
    return hits


def mask_scores(
    scores: npt.NDArray[Any], queries: HeldOutQueries, candidates: Mask, *, name: str
) -> Scores:
    """A checked copy of a scorer's scores, with -inf for histories and non-candidates."""
    expected = (len(queries), len(candidates))
    if scores.shape != expected:
        raise DataError(
            f"scorer '{name}' must give scores of shape {expected} (queries, items); "
            f"it gave {scores.shape}"
        )
    # One pass finds both: NaN and +inf survive a maximum.
    if scores.size and not (scores.max(axis=1) < np.inf).all():
        query, item = np.argwhere(~(scores < np.inf))[0]
        raise DataError(
            f"scorer '{name}' gave {scores[query, item]} to item row {item} for query {query} of "
            "its batch; scores must be finite, or -inf for what must not be shown"
        )
    copy = np.array(scores, np.float32)
    copy[:, ~candidates] = -np.inf
    lengths = queries.history_lengths
    owner = np.repeat(np.arange(len(queries)), lengths)
    copy[owner, queries.pool[ranges(queries.history_start, lengths)]] = -np.inf
    return copy


def _top(scores: Scores, depth: int) -> tuple[npt.NDArray[np.int64], Scores, Rows]:
    """Rows of the first positions, score of the last one, and number of items that reach it."""
    width = min(depth, scores.shape[1])
    if not scores.size:
        empty = np.zeros((len(scores), width), np.int64)
        return empty, np.full(len(scores), -np.inf, np.float32), np.zeros(len(scores), np.int32)
    # Descending: numpy is many times slower at partitioning a mass of equal scores such as -inf.
    negated = -scores
    negated.partition(width - 1, axis=1)
    boundary = -negated[:, width - 1]
    reach = scores >= boundary[:, None]
    at_least = reach.sum(axis=1)
    rows = np.empty((len(scores), width), np.int64)
    just = at_least == width
    rows[just] = np.nonzero(reach[just])[1].reshape(-1, width)
    for query in np.flatnonzero(~just):
        above = np.flatnonzero(scores[query] > boundary[query])
        equal = np.flatnonzero(scores[query] == boundary[query])
        rows[query] = np.sort(np.concatenate([above, equal[: width - len(above)]]))
    order = np.argsort(-np.take_along_axis(scores, rows, axis=1), axis=1, kind="stable")
    return np.take_along_axis(rows, order, axis=1), boundary, at_least.astype(np.int32)


def _tied_targets_after(
    owner: npt.NDArray[np.int64], score: Scores, rows: Rows
) -> npt.NDArray[np.int64]:
    """Number of targets of the same query and score with a higher row, int64 ``[t]``."""
    order = np.lexsort((-rows, score, owner))
    new = np.ones(len(order), np.bool_)
    new[1:] = (owner[order][1:] != owner[order][:-1]) | (score[order][1:] != score[order][:-1])
    position = np.arange(len(order))
    after = np.empty(len(order), np.int64)
    after[order] = position - np.maximum.accumulate(np.where(new, position, 0))
    return after
