"""Search of a delta, merged into the hits of the base."""

from __future__ import annotations

import numpy as np

from recsys.index.arguments import SearchArguments
from recsys.index.hits import Hits
from recsys.index.live.vectors import LiveVectors
from recsys.index.scoring import rounding_slacks

_ALL = np.empty(0, np.bool_)


def merge(hits: Hits, arguments: SearchArguments, vectors: LiveVectors, reach: float) -> None:
    """Put the entries of the delta that are among the best k of each query into ``hits``.

    The tail is compared whole; of the others those groups that can hold a better row than the
    hits so far. Scores are exact, so merging the two is exact, too.

    Args:
        hits: Hits of the base; changed in place.
        arguments: Arguments of the search.
        vectors: Version that is searched.
        reach: Number of standard deviations that a group's best score may be above its mean.
    """
    from recsys.index.live.kernels import merge_delta

    delta, allowed, excluded = vectors.delta, arguments.allowed, arguments.excluded
    mask = _ALL if allowed is None else allowed.mask
    groups = delta.groups
    read = np.zeros(len(hits), np.int64)
    merge_delta(
        hits.arrays,
        arguments.queries,
        rounding_slacks(arguments.queries, vectors.longest),
        (delta.rows, delta.vectors, delta.died),
        (groups.centres, groups.spread, *delta.eligible(allowed)),
        reach,
        groups.grouped,
        vectors.length,
        (mask, vectors.version, excluded.rows, excluded.starts),
        read,
    )
    hits.work.read[:] += read
    hits.work.depth[:] += read
