"""Compiled choice of the groups of rows that are likely to hold a hit.

The scores of a group's rows are taken to be normally distributed, with a mean and a standard
deviation along the query.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import math

import numpy as np
from numba import types

from recsys.index.kernels import float_score, offer, sort
from recsys.index.leaves.codes import code_score, round_query
from recsys.index.leaves.groups import GROUPS, PARTITION
from recsys.loops import F4, F8, I2, I4, I8, allocation_free, array, compiled

_LOWEST, _PER_DEVIATION, LEVELS = -2.0, 16, 160
"""Least level, levels per standard deviation, and their number."""
_STEEPNESS = 1.15
"""Rows far above the mean are rarer than in a normal distribution of the measured deviation."""
_TAILS = np.array(
    [
        math.erfc(_STEEPNESS * (_LOWEST + level / _PER_DEVIATION) / math.sqrt(2)) / 2
        for level in range(LEVELS)
    ]
)
"""Share of a group's rows above a score of each level."""
_FIRST = 2.0
"""Standard deviations in the bound by which the first groups are chosen."""


@allocation_free(F8(array(F4, 2), array(F4)))
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


@allocation_free(
    types.void(
        array(F4),
        array(I2),
        F8,
        array(F4, 2),
        GROUPS,
        array(F4, written=True),
        array(F4, written=True),
    )
)
def locate(query, whole, step, axes, groups, means, widths):
    """Write the mean and the standard deviation of the scores in each group.

    ``whole`` times ``step`` is the query in whole numbers.
    """
    (codes, steps), spread = groups[3], groups[4]
    along, step = np.float32(_stretch(axes, query)), np.float32(step)
    for j in range(len(codes)):
        means[j] = step * steps[j] * np.float32(code_score(codes, j, whole))
        widths[j] = along * spread[j]


@allocation_free(types.void(F4, array(F4), array(F4), array(I2, written=True)))
def _rank(threshold, means, widths, levels):
    """How many standard deviations a score is above each mean, as positions in _TAILS."""
    lowest, last = np.float32(_LOWEST), np.float32(LEVELS - 1)
    for j in range(len(means)):
        width = max(widths[j], np.float32(1e-30))
        level = ((threshold - means[j]) / width - lowest) * np.float32(_PER_DEVIATION)
        levels[j] = np.int16(min(max(level, np.float32(0)), last))


@allocation_free(
    types.void(
        F4, array(F4), array(F4), array(I8), array(I2, written=True), array(F8, written=True)
    )
)
def expect(threshold, means, widths, begins, levels, beyond):
    """Expect rows above a score in groups whose scores have a mean and a standard deviation.

    ``levels`` receives the level of each group, higher where a row above the score is less likely,
    and ``beyond`` the expected number of such rows in all groups of each level and above.
    """
    _rank(threshold, means, widths, levels)
    beyond[:] = 0.0
    for j in range(len(means)):
        level = levels[j]
        beyond[level] += (begins[j + 1] - begins[j]) * _TAILS[level]
    for level in range(LEVELS - 2, -1, -1):
        beyond[level] += beyond[level + 1]


@compiled(
    types.void(array(F4, 2), PARTITION, GROUPS, array(F4), array(I8, 2), array(F8, 2, written=True))
)
def needed_misses(queries, partition, groups, thresholds, own, misses):
    """Write the expected number of missed rows below which a scan reads each of the groups ``own``.

    The rows are those above the threshold of each query.
    """
    leaves, begins = groups[0], groups[1]
    means, widths = np.empty(len(leaves), np.float32), np.empty(len(leaves), np.float32)
    levels, beyond = np.empty(len(leaves), np.int16), np.empty(LEVELS, np.float64)
    whole, sizes = np.empty(queries.shape[1], np.int16), np.empty(2, np.float64)
    for i in range(len(queries)):
        step = round_query(queries[i], whole, sizes)
        locate(queries[i], whole, step, partition[4], groups, means, widths)
        expect(thresholds[i], means, widths, begins, levels, beyond)
        for j in range(own.shape[1]):
            misses[i, j] = beyond[levels[own[i, j]]]


@compiled(I8(array(I2), array(F8), F8, array(types.boolean), array(I4, written=True)))
def likely(levels, beyond, missed, unread, order):
    """Write the unread groups without which more than ``missed`` rows are expected to be missed.

    They are in the order of their levels; the result is their number.
    """
    last = 0
    while last < LEVELS and beyond[last] > missed:
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


@allocation_free(
    I8(array(F4), array(F4), array(types.boolean), array(F4, written=True), array(I4, written=True))
)
def nearest(means, widths, unread, bounds, order):
    """Write the unread groups with the highest bounds, and return their number."""
    count = 0
    for j in range(len(means)):
        bound = means[j] + _FIRST * widths[j]
        if unread[j] and (count < len(bounds) or bound > bounds[0]):
            count = offer(bounds, order, count, bound, np.int32(j))
    sort(bounds, order, count)
    return count
