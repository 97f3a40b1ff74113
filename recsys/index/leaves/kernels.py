"""Compiled scan of the eligible rows, leaf after leaf.

The arguments that say which rows must not be hits are those of ``recsys.index.kernels``.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import math

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
    sort,
    worse,
)
from recsys.index.leaves.codes import ROWS, code_score, round_query, select
from recsys.index.leaves.sketches import AT_ONCE, PLANES, SCRATCH, SKETCHES, prepare, scratch, sift
from recsys.loops import F4, F8, I1, I2, I4, I8, array, compiled

_PARTITION = types.Tuple(
    (
        array(F4, 2),  # centroids [leaves, d]
        array(I4),  # order [n]
        array(I1, 2),  # codes [n, d]
        array(F4, 2),  # factors [n, 2]
        array(F4, 2),  # axes [m, d]
        array(F4),  # doubt of the sketches [1]
    )
)
_GROUPS = types.Tuple(
    (
        array(I4),  # leaves [m]
        array(I8),  # begins [m + 1]
        array(I4),  # positions
        types.Tuple((array(I1, 2), array(F4))),  # means [m, d], mean_steps [m]
        array(F4),  # spread [m]
        types.Tuple(SKETCHES),  # bits [2 * words, eligible], steps [eligible]
    )
)
_WORK = types.Tuple((array(I8, written=True), array(I8, written=True), array(I8, written=True)))
_QUERY = types.Tuple(
    (array(I2, written=True), array(F4, written=True), PLANES, array(F4, written=True))
)
_QUEUE = types.Tuple((array(I4, written=True), I8, array(types.boolean, written=True)))
_FIRST_BLOCK, _BLOCK = 16, AT_ONCE
"""Number of rows compared before the k-th score is read again: at first, and at most."""
_WAITING = 64
"""Number of rows that are likely to be near, and loaded ahead, before they are compared."""
_LOWEST, _PER_DEVIATION, _LEVELS = -2.0, 16, 160
"""Least level, levels per standard deviation, and their number."""
_STEEPNESS = 1.15
"""Rows far above the mean are rarer than in a normal distribution of the measured deviation."""
_TAILS = np.array(
    [
        math.erfc(_STEEPNESS * (_LOWEST + level / _PER_DEVIATION) / math.sqrt(2)) / 2
        for level in range(_LEVELS)
    ]
)
"""Share of a group's rows above a score of each level."""
_FIRST, _FIRST_GROUPS, _FIRST_ROWS = 2.0, 3, 4
"""Standard deviations in the bound by which the first groups are chosen, their least number, and
number of rows in them per hit."""


@compiled(F8(array(F4, 2), array(F4)))
def _stretch(axes, query):
    """Length of a query times the spread of rows along it, relative to that of all directions."""
    squares, along, known = 0.0, 0.0, 0.0
    for j in range(len(query)):
        squares += np.float64(query[j]) ** 2
    for i in range(len(axes)):
        along += np.float64(float_score(axes, i, query)) ** 2
        known += np.float64(float_score(axes, i, axes[i]))
    rest = max(1.0 - known / max(len(query), 1), 0.0)
    return np.sqrt(rest * squares + along)


@compiled(
    types.void(
        array(F4),
        array(I2),
        F8,
        array(F4, 2),
        _GROUPS,
        array(F4, written=True),
        array(F4, written=True),
    )
)
def _locate(query, whole, step, axes, groups, means, widths):
    """Write the mean and the standard deviation of the scores in each group.

    ``whole`` times ``step`` is the query in whole numbers.
    """
    (codes, steps), spread = groups[3], groups[4]
    along, step = np.float32(_stretch(axes, query)), np.float32(step)
    for j in range(len(codes)):
        means[j] = step * steps[j] * np.float32(code_score(codes, j, whole))
        widths[j] = along * spread[j]


@compiled(types.void(F4, array(F4), array(F4), array(I2, written=True)))
def _rank(threshold, means, widths, levels):
    """How many standard deviations a score is above each mean, as positions in _TAILS."""
    lowest, last = np.float32(_LOWEST), np.float32(_LEVELS - 1)
    for j in range(len(means)):
        width = max(widths[j], np.float32(1e-30))
        level = ((threshold - means[j]) / width - lowest) * np.float32(_PER_DEVIATION)
        levels[j] = np.int16(min(max(level, np.float32(0)), last))


@compiled(
    types.void(
        F4, array(F4), array(F4), array(I8), array(I2, written=True), array(F8, written=True)
    )
)
def _expect(threshold, means, widths, begins, levels, beyond):
    """Expect rows above a score in groups whose scores have a mean and a standard deviation.

    ``levels`` receives the level of each group, higher where a row above the score is less likely,
    and ``beyond`` the expected number of such rows in all groups of each level and above.
    """
    _rank(threshold, means, widths, levels)
    beyond[:] = 0.0
    for j in range(len(means)):
        level = levels[j]
        beyond[level] += (begins[j + 1] - begins[j]) * _TAILS[level]
    for level in range(_LEVELS - 2, -1, -1):
        beyond[level] += beyond[level + 1]


@compiled(
    types.void(
        array(F4, 2), _PARTITION, _GROUPS, array(F4), array(I8, 2), array(F8, 2, written=True)
    )
)
def needed_misses(queries, partition, groups, thresholds, own, misses):
    """Write the expected number of missed rows below which a scan reads each of the groups ``own``.

    The rows are those above the threshold of each query.
    """
    leaves, begins = groups[0], groups[1]
    means, widths = np.empty(len(leaves), np.float32), np.empty(len(leaves), np.float32)
    levels, beyond = np.empty(len(leaves), np.int16), np.empty(_LEVELS, np.float64)
    whole, sizes = np.empty(queries.shape[1], np.int16), np.empty(2, np.float64)
    for i in range(len(queries)):
        step = round_query(queries[i], whole, sizes)
        _locate(queries[i], whole, step, partition[4], groups, means, widths)
        _expect(thresholds[i], means, widths, begins, levels, beyond)
        for j in range(own.shape[1]):
            misses[i, j] = beyond[levels[own[i, j]]]


@compiled(I8(array(I2), array(F8), F8, array(types.boolean), array(I4, written=True)))
def _likely(levels, beyond, missed, unread, order):
    """Write the unread groups without which more than ``missed`` rows are expected to be missed.

    They are in the order of their levels; the result is their number.
    """
    last = 0
    while last < _LEVELS and beyond[last] > missed:
        last += 1
    starts = np.zeros(last + 1, np.int64)
    for j in range(len(levels)):
        if unread[j] and levels[j] < last:
            starts[levels[j] + 1] += 1
    for level in range(last):
        starts[level + 1] += starts[level]
    for j in range(len(levels)):
        if unread[j] and levels[j] < last:
            order[starts[levels[j]]] = j
            starts[levels[j]] += 1
    return starts[last]


@compiled(
    I8(array(F4), array(F4), array(types.boolean), array(F4, written=True), array(I4, written=True))
)
def _nearest(means, widths, unread, bounds, order):
    """Write the unread groups with the highest bounds, and return their number."""
    count = 0
    for j in range(len(means)):
        bound = means[j] + _FIRST * widths[j]
        if unread[j] and (count < len(bounds) or bound > bounds[0]):
            count = offer(bounds, order, count, bound, np.int32(j))
    sort(bounds, order, count)
    return count


_MEANS = (array(F4, 2, written=True), array(F4, written=True))


@compiled(types.void(_PARTITION, array(I4), array(I8), array(I4), *_MEANS))
def summarise(partition, leaves, begins, positions, means, spread):
    """Write the mean of each group of rows, from their codes, and their spread around it."""
    centroids, _, codes, factors, _, _ = partition
    dimension = centroids.shape[1]
    total = np.empty(dimension, np.float64)
    for j in range(len(leaves)):
        first, last = begins[j], begins[j + 1]
        total[:] = 0.0
        squares = 0.0
        for at in range(first, last):
            position = positions[at]
            step, own = np.float64(factors[position, 0]), np.int64(0)
            for i in range(dimension):
                code = np.int32(codes[position, i])
                total[i] += step * code
                own += np.int64(code * code)
            squares += step * step * own + np.float64(factors[position, 1]) ** 2
        count, length = last - first, 0.0
        for i in range(dimension):
            mean = total[i] / count
            length += mean * mean
            means[j, i] = centroids[leaves[j], i] + mean
        variance = max(squares - count * length, 0.0) / max(count - 1, 1)
        spread[j] = np.sqrt(variance / dimension)


@over_vectors(
    types.UniTuple(I8, 5)(
        MATRIX,
        array(F4),
        I8,
        _PARTITION,
        _GROUPS,
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

    Returns the numbers of hits, leaves, exact scores, rows, and hidden rows better than k hits.
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
            if full:
                last, score = min(end, begin + most), base + bound[0]
                count, begin = sift(
                    bits, steps, positions, begin, last, planes, line, score, least,
                    codes, factors, *memory, near, bases, count,
                )  # fmt: skip
            else:
                more = min(most, end - begin)
                for j in range(more):
                    near[count + j] = positions[begin + j] if len(positions) else begin + j
                    bases[count + j] = base
                count, begin = count + more, begin + more
        if count == 0:
            return size, visited, exact, read, seen
        kept = select(codes, factors, block, bases, count, whole, bound, least)
        for j in range(kept):
            near[j] = rows[near[j]]
            prefetch(vectors, near[j])
        for j in range(kept):
            row = near[j]
            score = exact_score(vectors, row, query)
            if size == len(scores) and not worse(scores[0], best[0], score, row):
                continue
            if not is_hidden(row, died, version, never, starts[at], starts[at + 1]):
                size = offer(scores, best, size, score, row)
            elif size == len(scores):
                seen += 1
        exact += kept
        if full:
            most = min(2 * most, _BLOCK)


@over_vectors(
    types.void(MATRIX, MATRIX, array(I8), _PARTITION, _GROUPS, F8, F8, HIDDEN, HITS, _WORK)
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
    nearest = min(count, _FIRST_GROUPS + _FIRST_ROWS * k * count // max(begins[-1], 1))
    means, widths = np.empty(count, np.float32), np.empty(count, np.float32)
    bounds, order = np.empty(count, np.float32), np.empty(count, np.int32)
    levels, beyond = np.empty(count, np.int16), np.empty(_LEVELS, np.float64)
    unread, whole = np.empty(count, np.bool_), np.empty(queries.shape[1], np.int16)
    sizes, bound = np.empty(2, np.float64), np.empty(4, np.float32)
    planes, line = np.empty((len(groups[5][0]) // 2, 4), np.uint64), np.empty(2, np.float32)
    block, bases = np.empty((2, 2 * _BLOCK), np.int32), np.empty(2 * _BLOCK, np.float32)
    memory = scratch()
    for i in range(len(chosen)):
        at = chosen[i]
        query, most = queries[at], nearest
        bound[0] = 3 * rounding_slack(query, longest)
        step = round_query(query, whole, sizes)
        bound[1] = step
        bound[2], bound[3] = sizes[1] * 1.001, sizes[0]
        prepare(query, partition[5], planes, line)
        _locate(query, whole, step, partition[4], groups, means, widths)
        unread[:] = True
        size, seen, visited, exact, read = 0, 0, 0, 0, 0
        while True:
            limit, short = max(3 * read, count), size < k
            if short:
                found = _nearest(means, widths, unread, bounds[:most], order)
                most, limit = min(2 * most, count), begins[-1]
            else:
                _expect(hits[1][at, 0], means, widths, begins, levels, beyond)
                found = _likely(levels, beyond, misses * (k + seen), unread, order)
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
