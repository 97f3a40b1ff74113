"""Compiled scan of the eligible rows, leaf after leaf.

The arguments that say which rows must not be hits are those of ``recsys.index.kernels``.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import numpy as np
from numba import types

from recsys.index.kernels import (
    HIDDEN,
    HITS,
    MATRIX,
    exact_score,
    float_score,
    is_hidden,
    offer,
    over_vectors,
    prefetch,
    rounding_slack,
    settle,
)
from recsys.index.leaves.codes import ROWS, round_query, select
from recsys.index.leaves.expectation import LEVELS, expect, likely, locate, nearest
from recsys.index.leaves.groups import GROUPS, PARTITION
from recsys.index.leaves.sketches import (
    AT_ONCE,
    PLANES,
    SCRATCH,
    load,
    prepare,
    scratch,
    sift,
)
from recsys.loops import F4, F8, I2, I4, I8, array, compiled

_WORK = types.Tuple((array(I8, written=True), array(I8, written=True), array(I8, written=True)))
_QUERY = types.Tuple(
    (array(I2, written=True), array(F4, written=True), PLANES, array(F4, written=True))
)
_QUEUE = types.Tuple((array(I4, written=True), I8, array(types.boolean, written=True)))
_FIRST_BLOCK, _BLOCK = 16, AT_ONCE
"""Number of rows compared before the k-th score is read again: at first, and at most."""
_WAITING = 64
"""Number of rows that are likely to be near, and loaded ahead, before they are compared."""
_GROWTH = 6
"""Number of rows that are read before groups are chosen again, relative to those read so far."""
_FIRST_GROUPS, _FIRST_ROWS = 3, 4
"""Least number of the first groups, and number of rows in them per hit."""


@over_vectors(
    types.UniTuple(I8, 5)(
        MATRIX,
        array(F4),
        I8,
        PARTITION,
        GROUPS,
        _QUEUE,
        _QUERY,
        *ROWS,
        SCRATCH,
        I8,
        HIDDEN,
        HITS,
    )
)
def _read(
    vectors, query, at, partition, groups, queue, numbers, block, bases, memory, size, hidden, hits
):
    """Offer the rows of queued groups to the hits of a query.

    Returns the numbers of hits, leaves, exact scores, rows, and hidden rows that may be better than
    the k-th.
    """
    best, scores, near = hits[0][at], hits[1][at], block[1]
    _, died, version, never, starts = hidden
    centroids, rows, codes, factors, _, _ = partition
    leaves, begins, positions, _, _, sketches = groups
    bits, steps = sketches
    whole, bound, planes, line = numbers
    queued, limit, unread = queue
    most = _BLOCK if size == len(scores) else _FIRST_BLOCK
    begin, end, base, visited, exact, read, seen = 0, 0, np.float32(0), 0, 0, 0, 0
    while True:
        count, full = 0, size == len(scores)
        least = scores[0] if full else np.float32(-np.inf)
        while count < (_WAITING if most == _BLOCK else _FIRST_BLOCK):
            if begin == end:
                if visited == len(queued) or read >= limit:
                    break
                group = queued[visited]
                unread[group] = False
                base = float_score(centroids, leaves[group], query)
                begin, end = begins[group], begins[group + 1]
                visited, read = visited + 1, read + end - begin
                if full and visited < len(queued):
                    following = queued[visited]
                    prefetch(centroids, leaves[following])
                    load(bits, steps, begins[following], begins[following + 1])
            if full:
                last, score = min(end, begin + most), base + bound[0]
                count = sift(
                    bits, steps, positions, begin, last, planes, line, score, least,
                    codes, factors, *memory, near, bases, count,
                )  # fmt: skip
                begin = last
            else:
                more = min(most, end - begin)
                for j in range(more):
                    near[count + j] = positions[begin + j] if len(positions) else begin + j
                    bases[count + j] = base
                count, begin = count + more, begin + more
        if count == 0:
            return size, visited, exact, read, seen
        kept = select(codes, factors, block, bases, count, whole, bound, least)
        shown = 0
        for j in range(kept):
            row = rows[near[j]]
            if is_hidden(row, died, version, never, starts[at], starts[at + 1]):
                seen += full
                continue
            near[shown] = row
            prefetch(vectors, row)
            shown += 1
        for j in range(shown):
            size = offer(scores, best, size, exact_score(vectors, near[j], query), near[j])
        exact += shown
        if full:
            most = min(2 * most, _BLOCK)


@over_vectors(
    types.void(MATRIX, MATRIX, array(I8), PARTITION, GROUPS, F8, F8, HIDDEN, HITS, _WORK),
    compiled,
)
def scan_leaves(vectors, queries, chosen, partition, groups, longest, misses, hidden, hits, work):
    """The best eligible rows of each query, from the groups that are likely to hold some.

    The scores of a group's rows are taken to be normally distributed, with a mean and a standard
    deviation along the query. A scan ends when the expected number of hits in the groups that were
    not read is at most ``misses`` per hit; with 0 it reads all. ``work`` receives the numbers of
    leaves, exact scores and rows read.
    """
    leaves, begins = groups[0], groups[1]
    count, k = len(leaves), hits[0].shape[1]
    first = min(count, _FIRST_GROUPS + _FIRST_ROWS * k * count // max(begins[-1], 1))
    means, widths = np.empty(count, np.float32), np.empty(count, np.float32)
    bounds, order = np.empty(count, np.float32), np.empty(count, np.int32)
    levels, beyond = np.empty(count, np.int16), np.empty(LEVELS, np.float64)
    unread, whole = np.empty(count, np.bool_), np.empty(queries.shape[1], np.int16)
    sizes, bound = np.empty(2, np.float64), np.empty(4, np.float32)
    planes, line = np.empty((len(groups[5][0]) // 2, 4), np.uint64), np.empty(2, np.float32)
    block, bases = np.empty((2, 2 * _BLOCK), np.int32), np.empty(2 * _BLOCK, np.float32)
    memory = scratch()
    for i in range(len(chosen)):
        at = chosen[i]
        query, most = queries[at], first
        bound[0] = 3 * rounding_slack(query, longest)
        step = round_query(query, whole, sizes)
        bound[1] = step
        bound[2], bound[3] = sizes[1] * 1.001, sizes[0]
        prepare(query, partition[5], planes, line)
        locate(query, whole, step, partition[4], groups, means, widths)
        unread[:] = True
        size, seen, visited, exact, read = 0, 0, 0, 0, 0
        while True:
            limit, short = max(_GROWTH * read, count), size < k
            if short:
                found = nearest(means, widths, unread, bounds[:most], order)
                most, limit = min(2 * most, count), begins[-1]
            else:
                expect(hits[1][at, 0], means, widths, begins, levels, beyond)
                found = likely(levels, beyond, misses * (k + seen), unread, order)
            more = _read(
                vectors,
                query,
                at,
                partition,
                groups,
                (order[:found], limit, unread),
                (whole, bound, planes, line),
                block,
                bases,
                memory,
                size,
                hidden,
                hits,
            )
            size, visited, exact = more[0], visited + more[1], exact + more[2]
            read, seen = read + more[3], seen + more[4]
            if more[1] == 0 or (more[1] == found and not short):
                break
        settle(hits, at, size)
        work[0][at], work[1][at], work[2][at] = visited, exact, read
