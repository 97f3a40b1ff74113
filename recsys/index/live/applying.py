"""The next version of a live index: one change applied, and the delta grouped again."""

from __future__ import annotations

import dataclasses
from typing import cast

import numpy as np

from recsys.ids import Rows, Vectors
from recsys.index.live.changes import Change
from recsys.index.live.delta import Delta
from recsys.index.live.live_index import LiveCounts, LiveIndex
from recsys.index.live.vectors import LiveVectors
from recsys.index.rows import ALIVE
from recsys.index.scoring import longest

TAIL = 4_096
"""Number of entries in the tail from which the delta is grouped again."""
GROUP, _MOST_GROUPS = 32, 64
"""Number of entries per group, and largest number of groups per leaf."""


def apply(live: LiveIndex, change: Change, version: int) -> LiveIndex:
    """The version after a checked change; ``live`` must be the newest one and keeps its content.

    If the call fails, nothing has changed. Only one thread may apply changes.
    """
    vectors, died = live.live_vectors, live.base.died
    length, delta = vectors.length, vectors.delta
    delta = delta.with_room(length + len(change.rows), change.size)
    written = np.concatenate([change.rows, change.deleted])
    old = delta.entries(written, length)
    old = old[old >= 0]
    old = old[delta.died[old] == ALIVE]
    based = written[written < len(died)]
    based = based[died[based] == ALIVE]
    try:
        delta.died[old] = version
        died[based] = version
        end = delta.append(length, change.rows, change.vectors, version)
        counts = LiveCounts(
            live.counts.alive - len(old) - len(based) + len(change.rows),
            live.counts.fresh - len(old) + len(change.rows),
            live.counts.hidden + len(based),
        )
        highest = max(vectors.longest, longest(change.vectors) if len(change.rows) else 0.0)
        after = LiveVectors(vectors.base, died, delta, end, version, change.size, highest)
        return dataclasses.replace(live, vectors=cast(Vectors, after), counts=counts)
    except BaseException:
        delta.take_back(length, change.rows)
        delta.died[old] = ALIVE
        died[based] = ALIVE
        raise


def is_scattered(live: LiveIndex) -> bool:
    """Whether the tail is long, or half of the entries are replaced."""
    vectors = live.live_vectors
    if vectors.length - live.counts.fresh > max(TAIL, live.counts.fresh):
        return True
    return len(live.base.leaves) > 1 and vectors.length - vectors.delta.groups.grouped > TAIL


def group_again(live: LiveIndex) -> LiveIndex:
    """The same version with a new generation of the delta, without replaced entries."""
    from recsys.index.live.kernels import group_entries

    vectors = live.live_vectors
    delta, fresh = vectors.delta, live.counts.fresh
    leaves, groups = _grouping(live)
    new = Delta.empty(
        rows=len(delta.newest),
        dimension=vectors.shape[1],
        leaves=leaves,
        capacity=fresh + 2 * TAIL,
    )
    group_entries(
        (delta.rows, delta.vectors, delta.born, delta.died),
        vectors.version,
        groups,
        (new.groups.centres, new.groups.spread, new.groups.starts),
        (new.rows, new.vectors, new.born, new.newest),
    )
    after = dataclasses.replace(vectors, delta=new, length=fresh)
    return dataclasses.replace(live, vectors=cast(Vectors, after))


def _grouping(live: LiveIndex) -> tuple[Rows, Rows]:
    """Leaf of each new group, int32, and group of each entry, int32 ``[length]``."""
    from recsys.index.live.kernels import split_leaves

    vectors, delta = live.live_vectors, live.live_vectors.delta
    new = delta.vectors[delta.groups.grouped : vectors.length]
    leaf = np.concatenate([delta.groups.leaf_of_entry, live.base.leaves.assign(new)])
    order = np.argsort(leaf, kind="stable")
    starts = np.searchsorted(leaf[order], np.arange(len(live.base.leaves) + 1))
    parts = np.clip(np.diff(starts) // GROUP, 1, _MOST_GROUPS)
    if len(live.base.leaves) == 1:
        parts[:] = 1  # Every search reads all of the delta.
    firsts = np.concatenate([[0], np.cumsum(parts)])
    groups = np.zeros(vectors.length, np.int32)
    split_leaves(delta.vectors, order, starts, firsts, groups)
    return np.repeat(np.arange(len(parts), dtype=np.int32), parts), groups


def difference(before: LiveIndex, after: LiveIndex) -> Change:
    """The change that leads from one version to a later one over the same base."""
    vectors = after.live_vectors
    delta, length = vectors.delta, vectors.length
    new = np.flatnonzero(
        delta.valid(length, after.version) & (delta.born[:length] > before.version)
    )
    lost = before.mask & ~after.mask[: len(before)]
    deleted = np.flatnonzero(lost).astype(np.int32)
    return Change(delta.rows[new], delta.vectors[new], deleted, len(after))
