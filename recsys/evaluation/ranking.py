"""From scores to rankings of the whole catalogue, and to the places at which targets stand.

Equal scores are listed by lower row, as the indexes list them. In *judging*, a target counts as
standing behind all other items with its score: were rows the judge, a scorer that gives every item
the same score would be paid for the order of the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.ids import Mask, Rows
from recsys.splits.held_out import HeldOut, Offsets, ranges

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Ranking:
    """The first n places of each query's ranking.

    Attributes:
        rows: Item rows, int32 ``[q, n]``, best first; 0 where not ``valid``.
        valid: Whether the place holds an item, bool ``[q, n]``.
        positions: The place (1, 2, ...) of each target, int32 ``[t]``; 0 beyond the first n.
        tied: Whether items beyond the first n have the score of the last, bool ``[q]``: there the
            row decided what is listed.
    """

    rows: Rows
    valid: Mask
    positions: Rows
    tied: Mask


def rank(scores: Scores, depth: int, *, target_rows: Rows, target_offsets: Offsets) -> Ranking:
    """Rank the items whose score is above -inf.

    Args:
        scores: float32 ``[q, items]``, without NaN.
        depth: n, how many places to list.
        target_rows: All targets, int32 ``[t]``.
        target_offsets: Where each query's targets begin and end, int64 ``[q + 1]``.

    Example:
        >>> scores = np.array([[0.5, 2, 0.5, 0.5]], np.float32)
        >>> ranking = rank(scores, 4, target_rows=np.array([0]), target_offsets=np.array([0, 1]))
        >>> ranking.rows.tolist(), ranking.positions.tolist()
        ([[1, 0, 2, 3]], [4])
    """
    rows, boundary, at_least = _top(scores, depth)
    listed = np.take_along_axis(scores, rows, axis=1)
    valid = listed > -np.inf
    width = rows.shape[1]
    owner = np.repeat(np.arange(len(scores)), np.diff(target_offsets))
    score = scores[owner, target_rows]
    # The last place of the target's tie: everything with its score or a higher one.
    higher_or_equal = (listed[owner] >= score[:, None]).sum(axis=1)
    last = np.where(score > boundary[owner], higher_or_equal, at_least[owner])
    places = last - _tied_targets_after(owner, score, target_rows)
    found = (score >= boundary[owner]) & (score > -np.inf) & (places <= width)
    return Ranking(
        rows=np.where(valid, rows, 0).astype(np.int32),
        valid=valid,
        positions=np.where(found, places, 0).astype(np.int32),
        tied=(at_least > width) & (boundary > -np.inf),
    )


def target_hits(
    positions: Rows, target_offsets: Offsets, depth: int, keep: Mask | None = None
) -> Mask:
    """Whether place 1 .. ``depth`` of each ranking holds a target, bool ``[q, depth]``.

    Args:
        positions: int32 ``[t]`` as in :class:`Ranking`.
        target_offsets: int64 ``[q + 1]``.
        depth: How many places.
        keep: Which targets count, bool ``[t]``; None is all.
    """
    hits = np.zeros((len(target_offsets) - 1, depth), np.bool_)
    owner = np.repeat(np.arange(len(hits)), np.diff(target_offsets))
    found = (positions > 0) & (positions <= depth)
    if keep is not None:
        found &= keep
    hits[owner[found], positions[found] - 1] = True
    return hits


def mask_scores(
    scores: npt.NDArray[Any], queries: HeldOut, candidates: Mask, *, name: str
) -> Scores:
    """A checked copy of a scorer's answer with -inf for histories and for what is no candidate.

    Raises:
        DataError: The shape is not ``[q, items]``, or a score is NaN or +inf.
    """
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
    """The first places' rows (ties by lower row), the last one's score, and how many reach it."""
    width = min(depth, scores.shape[1])
    if not scores.size:
        empty = np.zeros((len(scores), width), np.int64)
        return empty, np.full(len(scores), -np.inf, np.float32), np.zeros(len(scores), np.int32)
    # From the best down: numpy is many times slower where the last places are sought among a mass
    # of equal scores, such as the -inf of items that are not shown.
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
    """Per target how many targets of its query with its score have a higher row, int64 ``[t]``."""
    order = np.lexsort((-rows, score, owner))
    new = np.ones(len(order), np.bool_)
    new[1:] = (owner[order][1:] != owner[order][:-1]) | (score[order][1:] != score[order][:-1])
    place = np.arange(len(order))
    after = np.empty(len(order), np.int64)
    after[order] = place - np.maximum.accumulate(np.where(new, place, 0))
    return after
