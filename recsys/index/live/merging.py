"""Search of a delta, merged into the hits of the base."""

from __future__ import annotations

import numpy as np

from recsys.index.arguments import SearchArguments
from recsys.index.hits import PLANS, Hits
from recsys.index.live.leaves import Leaves
from recsys.index.live.vectors import LiveVectors

FEW_ENTRIES = 4_096
"""Number of eligible grouped entries up to which all of them are compared."""
_EXACT = PLANS.index("exact")


def merge(hits: Hits, arguments: SearchArguments, vectors: LiveVectors, leaves: Leaves) -> None:
    """Put the entries of the delta that are among the best k of each query into ``hits``.

    The tail is compared whole. Grouped entries are compared whole where they are few or where the
    base compared all of its own, and else in as many leaves as the base searched for that query.
    Scores are exact, so merging the two is exact, too.
    """
    from recsys.index.live.kernels import merge_delta

    delta, queries, allowed = vectors.delta, arguments.queries, arguments.allowed
    group = delta.group(allowed)
    counts = np.where(
        (hits.work.plan == _EXACT) | (hits.work.leaves == 0), -1, hits.work.leaves
    ).astype(np.int64)
    if len(group) <= FEW_ENTRIES or len(leaves) == 1:
        counts[:] = -1
    most = int(counts.max(initial=0))
    order = leaves.nearest(queries, most) if most > 0 else np.empty((len(queries), 0), np.int32)
    found = hits.valid.sum(axis=1)
    read = np.zeros(len(queries), np.int64)
    merge_delta(
        (hits.rows, hits.scores, found),
        queries.astype(np.float64),
        (delta.rows, delta.vectors, delta.died),
        vectors.version,
        (group.entries, group.starts),
        (order, counts),
        (delta.grouped, vectors.length),
        (arguments.excluded.rows, arguments.excluded.starts),
        np.empty(0, np.bool_) if allowed is None else allowed.mask,
        read,
    )
    hits.valid[:] = np.arange(arguments.k) < found[:, None]
    hits.work.read[:] += read
    hits.work.depth[:] += read
