"""Recall at every depth for one number of leaves, from one pass over the sampled queries.

The rank that the quantised scores give to a true neighbour decides from which depth on it is found.
One fetch of many candidates therefore yields the recall of every smaller depth, at all cutoffs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types

from recsys.ids import Rows, Vectors
from recsys.index.building.sample import QuerySample
from recsys.index.scoring import exact_scores
from recsys.loops import compiled

Propose = Callable[[Vectors, int, int], Rows]
"""Candidates of queries ``[b, d]`` in a number of leaves, at most a depth of them, best first by
quantised score: int32 ``[b, depth]``, -1 where a query has fewer."""
_AT_ONCE = 64
_ROWS, _NUMBERS = types.int32[:, ::1], types.int64[::1]
_SIGNATURE = types.void(
    _ROWS, _ROWS, _NUMBERS, _NUMBERS, _NUMBERS, types.int32[::1], types.float32[:, :, ::1]
)
_STEP = 1.1
"""Ratio of one depth to the one before it."""


@dataclass(frozen=True, order=True)
class RankRange:
    """Ranks on which recall is measured: above ``after``, up to ``last``.

    Attributes:
        last: Last rank.
        after: Number of ranks left out at the top.
    """

    last: int
    after: int = 0

    @property
    def size(self) -> int:
        """Number of ranks."""
        return self.last - self.after


@dataclass(frozen=True, eq=False)
class Sweep:
    """Measurement of one number of leaves.

    Attributes:
        leaves: Number of leaves searched.
        depths: Depths, ascending, int64 ``[s]``.
        recall: Per range of ranks, the share found for each query at each depth, float32
            ``[q, s]``.
    """

    leaves: int
    depths: npt.NDArray[np.int64]
    recall: dict[RankRange, npt.NDArray[np.float32]]


def sweep(
    sample: QuerySample,
    vectors: Vectors,
    propose: Propose,
    leaves: int,
    depth: int,
    ranges: Sequence[RankRange],
) -> Sweep:
    """Measure ``leaves`` at the depths up to ``depth``."""
    depths = _depths(depth)
    found = np.empty((len(sample), len(ranges), len(depths)), np.float32)
    after = np.array([each.after for each in ranges])
    last = np.array([each.last for each in ranges])
    truth, scratch = sample.truth.rows, np.full(len(vectors), -1, np.int32)
    for start in range(0, len(sample), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        rows = propose(sample.queries[part], leaves, depth)
        _count(rows, truth[part], after, last, depths, scratch, found[part])
        for position, each in enumerate(ranges):
            for query in start + np.flatnonzero(sample.ties(each.last)[part]):
                found[query, position] = _with_ties(
                    vectors, rows[query - start], sample, int(query), each, depths
                )
    return Sweep(leaves, depths, {each: found[:, i] for i, each in enumerate(ranges)})


def _depths(most: int) -> npt.NDArray[np.int64]:
    count = int(np.log(most) / np.log(_STEP)) + 2
    return np.unique(np.geomspace(1, most, count).round().astype(np.int64))


def _with_ties(
    vectors: Vectors,
    candidates: Rows,
    sample: QuerySample,
    query: int,
    ranks: RankRange,
    depths: npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]:
    """Shares found of one query, where a row that ties with the last one is as good."""
    candidates = candidates[candidates >= 0]
    truth, floor = sample.truth.rows[query], sample.truth.scores[query, ranks.last - 1]
    good = exact_scores(vectors, candidates, sample.queries[query]) >= floor
    good &= ~np.isin(candidates, truth[: ranks.after])
    positions = np.flatnonzero(good)[: ranks.size]
    shares: npt.NDArray[np.float32] = (np.searchsorted(positions, depths) / ranks.size).astype(
        np.float32
    )
    return shares


@compiled(_SIGNATURE)
def _count(
    rows: Rows, truth: Rows, after: Any, last: Any, depths: Any, scratch: Rows, found: Any
) -> None:
    """Fill ``found`` ``[b, ranges, depths]`` with shares; ``scratch`` is -1 before and after."""
    for query in range(len(rows)):
        for rank in range(truth.shape[1]):
            scratch[truth[query, rank]] = rank
        for each in range(len(after)):
            count, step = 0, 0
            size = last[each] - after[each]
            for position in range(rows.shape[1]):
                while step < len(depths) and depths[step] == position:
                    found[query, each, step] = count / size
                    step += 1
                row = rows[query, position]
                if row >= 0 and after[each] <= scratch[row] < last[each]:
                    count += 1
            for rest in range(step, len(depths)):
                found[query, each, rest] = count / size
        for rank in range(truth.shape[1]):
            scratch[truth[query, rank]] = -1
