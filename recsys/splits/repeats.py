"""Repeats: held-out targets whose item is in the history of their own query."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from recsys.ids import Mask, Rows
from recsys.splits.held_out import HeldOutQueries, Positions, offsets_of, ranges

Weights = npt.NDArray[np.float32]
Repeats = Literal["drop", "keep", "keep-last", "keep-strongest"]


def repeated_targets(queries: HeldOutQueries, items: int) -> Mask:
    """Whether the history of its query holds each target, bool ``[t]``."""
    return _strongest_before(queries, np.ones(len(queries.pool), np.float32), items) > 0


def resolve_repeats(queries: HeldOutQueries, policy: Repeats, items: int) -> HeldOutQueries:
    """The queries after a policy for repeats (see ``split.repeats``); none is left without target.

    Args:
        queries: Queries; "keep-strongest" reads their weights.
        policy: Policy of the split.
        items: Number of items in the catalogue.
    """
    if policy == "keep":
        return queries
    repeated = repeated_targets(queries, items)
    if policy == "drop":
        return queries.at_targets(~repeated)
    keep = np.ones(len(repeated), np.bool_)
    if policy == "keep-strongest":
        assert queries.pool_weights is not None and queries.target_weights is not None
        keep = queries.target_weights > _strongest_before(queries, queries.pool_weights, items)
    owner = queries.target_queries[keep & repeated]
    rows = queries.target_rows[keep & repeated]
    return _without_items(queries, owner, rows).at_targets(keep)


def _strongest_before(queries: HeldOutQueries, weights: Weights, items: int) -> Weights:
    """Greatest weight in the history of each target's item, float32 ``[t]``; 0 if it is absent."""
    strongest = np.zeros(len(queries.target_rows), np.float32)
    best = np.zeros(items, np.float32)  # one array for all queries, reset after each
    for query in range(len(queries)):
        start, stop = queries.history_start[query], queries.history_stop[query]
        history = queries.pool[start:stop]
        np.maximum.at(best, history, weights[start:stop])
        low, high = queries.target_offsets[query : query + 2]
        strongest[low:high] = best[queries.target_rows[low:high]]
        best[history] = 0
    return strongest


def _without_items(queries: HeldOutQueries, owner: Positions, rows: Rows) -> HeldOutQueries:
    """The histories of the queries ``owner`` without the items ``rows``, pair by pair.

    Other histories are unchanged: the new ones follow the pool.
    """
    if not len(owner):
        return queries
    width = int(max(queries.pool.max(initial=0), rows.max(initial=0))) + 1
    changed = np.unique(owner)
    lengths = queries.history_lengths[changed]
    at = ranges(queries.history_start[changed], lengths)
    of = np.repeat(changed, lengths)
    left = ~np.isin(of * width + queries.pool[at], owner * width + rows)
    bounds = len(queries.pool) + offsets_of(np.bincount(of[left], minlength=len(queries))[changed])
    start, stop = queries.history_start.copy(), queries.history_stop.copy()
    start[changed], stop[changed] = bounds[:-1], bounds[1:]
    pools = {name: getattr(queries, name) for name in ("pool", "pool_times", "pool_weights")}
    extended: dict[str, Any] = {
        name: np.concatenate([pool, pool[at[left]]])
        for name, pool in pools.items()
        if pool is not None
    }
    return replace(queries, history_start=start, history_stop=stop, **extended)
