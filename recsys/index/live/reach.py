"""How far a group of the delta reaches above its mean, measured on samples of queries.

A group is read if its mean score plus ``reach`` standard deviations is at least the k-th best score
so far. The values that true hits need differ between data sets and grow when rows move to new
regions, so they are measured whenever the delta is grouped again.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from recsys.ids import Vectors
from recsys.index.building.sample import Queries
from recsys.index.live.live_index import REACH, LiveIndex

_QUERIES, _K, _REMEMBERED, _LEAST = 16, 10, 1_000, 100
_SHARE = 0.99
"""Share of the hits in the delta that the reach must find."""


class ReachEstimate:
    """The reach that most hits in the delta needed lately.

    Args:
        queries: Typical queries, float32 ``[q, d]``, or several kinds of them by name; None for the
            vectors of the delta itself.
    """

    def __init__(self, queries: Queries | None) -> None:
        if isinstance(queries, Mapping):
            queries = np.concatenate(list(queries.values()))
        self._queries: Vectors | None = queries
        self._needed: deque[float] = deque(maxlen=_REMEMBERED)
        self._next = 0

    def measured(self, live: LiveIndex) -> LiveIndex:
        """The version with a reach measured on a few queries more."""
        if math.isinf(live.base.reach) or not live.live_vectors.delta.groups.grouped:
            return live
        self._needed.extend(needed_reach(live, self._sample(live)).tolist())
        if len(self._needed) < _LEAST:
            return live.with_reach(REACH)
        return live.with_reach(float(np.quantile(list(self._needed), _SHARE)))

    def _sample(self, live: LiveIndex) -> Vectors:
        delta = live.live_vectors.delta
        source = delta.vectors[: delta.groups.grouped] if self._queries is None else self._queries
        # Another part of the source each time, spread over all of it.
        step = max(1, len(source) // _QUERIES)
        self._next += 1
        return source[self._next % step :: step][:_QUERIES]


def needed_reach(live: LiveIndex, queries: Vectors) -> npt.NDArray[np.float64]:
    """The least reach that finds each hit in the delta, over all queries float32 ``[q, d]``."""
    hits = live.with_reach(math.inf).search(np.ascontiguousarray(queries), _K)
    delta, groups = live.live_vectors.delta, live.live_vectors.delta.groups
    needed = [np.empty(0)]
    for position, query in enumerate(queries.astype(np.float64)):
        rows, scores = hits.at(position)
        entries = delta.entries(rows, live.live_vectors.length)
        entries = entries[(entries >= 0) & (entries < groups.grouped)]
        group = np.searchsorted(groups.starts, entries, side="right") - 1
        above = float(scores[-1]) - groups.centres[group] @ query if len(rows) else np.empty(0)
        width = np.linalg.norm(query) * groups.spread[group]
        needed.append(np.maximum(above, 0) / np.maximum(width, 1e-30))
    return np.minimum(np.concatenate(needed), 1e6)
