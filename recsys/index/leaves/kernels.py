"""Compiled scan of the eligible rows, leaf after leaf.

The arguments that say which rows must not be hits are those of ``recsys.index.kernels``.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import numpy as np
from numba import types

from recsys.index.kernels import (
    AHEAD,
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
    worse,
)
from recsys.loops import F4, F8, I1, I2, I4, I8, array, compiled

_PARTITION = types.Tuple(
    (
        array(F4, 2),  # centroids [leaves, d]
        array(F4),  # spread [leaves]
        array(F4),  # radius [leaves]
        array(I4),  # order [n]
        array(I1, 2),  # codes [n, d]
        array(F4),  # scale [n]
        array(F4),  # error [n]
        array(F4, 2),  # axes [m, d]
    )
)
_GROUPS = types.Tuple(
    (
        array(I4),  # leaves [m]
        array(I8),  # begins [m + 1]
        array(I4),  # positions
        array(F4, 2),  # centroids [m, d], or empty where they are those of the leaves
        array(F4),  # spread [m]
    )
)
_WORK = types.Tuple((array(I8, written=True), array(I8, written=True), array(I8, written=True)))
_FIRST_BLOCK, _BLOCK = 16, 256
"""Number of rows compared before the k-th score is read again: at first, and at most."""
_MOST = 32_767
"""Largest number in a query of whole numbers."""


@compiled(I4(array(I1, 2), I8, array(I2)))
def _code_score(codes, position, whole):
    total = np.int32(0)
    for i in range(whole.shape[0]):
        total += np.int32(codes[position, i]) * np.int32(whole[i])
    return total


@compiled(F8(array(F4), array(I2, written=True), array(F8, written=True)))
def _round_query(query, whole, sizes):
    """Write a query as whole numbers times the step that is returned.

    ``sizes`` receives the query's length, and the largest error of its product with codes of unit
    scale.
    """
    dimension = len(query)
    norm, largest, lost = 0.0, 0.0, 0.0
    for j in range(dimension):
        norm += np.float64(query[j]) ** 2
        largest = max(largest, abs(np.float64(query[j])))
    # The sum over all dimensions fits 32 bits.
    step = largest / min(_MOST, (2**31 - 1) // (128 * dimension))
    if step == 0:
        step = 1.0
    for j in range(dimension):
        whole[j] = np.int16(np.rint(query[j] / step))
        lost += (np.float64(query[j]) - step * whole[j]) ** 2
    sizes[0] = np.sqrt(norm)
    sizes[1] = np.sqrt(lost * dimension) * 127
    return step


@compiled(
    I8(_PARTITION, array(I4), I8, I8, array(I2), array(F4), F4, array(I4, 2, written=True)),
    fastmath={"contract"},
)
def _near(partition, positions, first, count, whole, bound, least, block):
    """Write the rows of a block that can have the score ``least``, and return their number.

    ``bound`` holds the score of the centroid with the rounding error, the step of the query, its
    error for codes of unit scale, and its length.
    """
    _, _, _, order, codes, scale, error, _ = partition
    products, near, gathered, kept = block[0], block[1], len(positions) > 0, 0
    for j in range(count):
        position = positions[first + j] if gathered else np.int32(first + j)
        products[j] = _code_score(codes, position, whole)
    for j in range(count):
        position = positions[first + j] if gathered else np.int32(first + j)
        reach = scale[position] * (bound[1] * products[j] + bound[2]) + bound[3] * error[position]
        near[kept] = order[position]
        kept += bound[0] + reach >= least
    return kept


@compiled(F8(array(F4, 2), array(F4)))
def stretch(axes, query):
    """Length of a query times the spread of rows along it, relative to that of all directions."""
    squares, along, known = 0.0, 0.0, 0.0
    for j in range(len(query)):
        squares += np.float64(query[j]) ** 2
    for i in range(len(axes)):
        along += np.float64(float_score(axes, i, query)) ** 2
        known += np.float64(float_score(axes, i, axes[i]))
    rest = max(1.0 - known / max(len(query), 1), 0.0)
    return np.sqrt(rest * squares + along)


@compiled(types.void(array(F4, written=True), array(I4, written=True), I8, I8))
def _sink(bounds, groups, size, at):
    """Restore the order below one place of a heap whose root has the highest bound."""
    bound, group = bounds[at], groups[at]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and bounds[child + 1] > bounds[child]:
            child += 1
        if bounds[child] <= bound:
            break
        bounds[at], groups[at] = bounds[child], groups[child]
        at = child
    bounds[at], groups[at] = bound, group


_MEANS = (array(F4, 2, written=True), array(F4, written=True))


@compiled(types.void(_PARTITION, array(I4), array(I8), array(I4), *_MEANS))
def summarise(partition, leaves, begins, positions, means, spread):
    """Write the mean of each group of rows, from their codes, and their spread around it."""
    centroids, _, _, _, codes, scale, error, _ = partition
    dimension = centroids.shape[1]
    total = np.empty(dimension, np.float64)
    for j in range(len(leaves)):
        first, last = begins[j], begins[j + 1]
        total[:] = 0.0
        squares = 0.0
        for at in range(first, last):
            position = positions[at]
            step, own = np.float64(scale[position]), np.int64(0)
            for i in range(dimension):
                code = np.int32(codes[position, i])
                total[i] += step * code
                own += np.int64(code * code)
            squares += step * step * own + np.float64(error[position]) ** 2
        count, length = last - first, 0.0
        for i in range(dimension):
            mean = total[i] / count
            length += mean * mean
            means[j, i] = centroids[leaves[j], i] + mean
        variance = max(squares - count * length, 0.0) / max(count - 1, 1)
        spread[j] = np.sqrt(variance / dimension)


@over_vectors(
    types.void(MATRIX, MATRIX, array(I8), _PARTITION, _GROUPS, F8, F8, HIDDEN, HITS, _WORK)
)
def scan_leaves(vectors, queries, chosen, partition, groups, longest, reach, hidden, hits, work):
    """The best eligible rows of each query, from leaves in the order of their bounds.

    The bound of a leaf is ``reach`` standard deviations above the score of the centroid of its
    eligible rows; with an infinite reach, no row of the leaf exceeds it. A scan ends before the
    first leaf with a bound below the k-th score. ``work`` receives the numbers of leaves, exact
    scores and rows read.
    """
    centroids, spread, radius = partition[:3]
    axes, finite = partition[-1], reach != np.inf
    leaves, begins, positions, own, own_spread = groups
    _, died, version, never, starts = hidden
    whole, sizes = np.empty(queries.shape[1], np.int16), np.empty(2, np.float64)
    bounds = np.empty(len(leaves), np.float32)
    heap, block = np.empty(len(leaves), np.int32), np.empty((2, _BLOCK), np.int32)
    bound = np.empty(4, np.float32)
    for i in range(len(chosen)):
        at = chosen[i]
        query, best, scores, size = queries[at], hits[0][at], hits[1][at], 0
        slack = rounding_slack(query, longest)
        bound[1] = _round_query(query, whole, sizes)
        bound[2], bound[3] = sizes[1] * 1.001, sizes[0]
        above = bound[3]
        if finite:
            above = np.float32(reach * (stretch(axes, query) if len(own) else sizes[0]))
        for j in range(len(leaves)):
            if finite and len(own):
                bounds[j] = float_score(own, j, query) + above * own_spread[j]
            else:
                width = spread[leaves[j]] if finite else radius[leaves[j]]
                bounds[j] = float_score(centroids, leaves[j], query) + above * width
            heap[j] = j
        for j in range(len(leaves) // 2 - 1, -1, -1):
            _sink(bounds, heap, len(leaves), j)
        left, visited, read, exact, most = len(leaves), 0, 0, 0, _FIRST_BLOCK
        while left > 0:
            if size == len(scores) and bounds[0] + slack < scores[0]:
                break
            group, left = heap[0], left - 1
            bounds[0], heap[0] = bounds[left], heap[left]
            _sink(bounds, heap, left, 0)
            bound[0] = float_score(centroids, leaves[group], query) + 3 * slack
            first, last = begins[group], begins[group + 1]
            visited, read = visited + 1, read + last - first
            while first < last:
                count = min(most, last - first)
                least = scores[0] if size == len(scores) else np.float32(-np.inf)
                kept = _near(partition, positions, first, count, whole, bound, least, block)
                for j in range(min(kept, AHEAD)):
                    prefetch(vectors, block[1, j])
                for j in range(kept):
                    if j + AHEAD < kept:
                        prefetch(vectors, block[1, j + AHEAD])
                    row = block[1, j]
                    score = exact_score(vectors, row, query)
                    if size == len(scores) and not worse(scores[0], best[0], score, row):
                        continue
                    if not is_hidden(row, died, version, never, starts[at], starts[at + 1]):
                        size = offer(scores, best, size, score, row)
                first, exact = first + count, exact + kept
                if size == len(scores):
                    most = min(2 * most, _BLOCK)
        settle(hits, at, size)
        work[0][at], work[1][at], work[2][at] = visited, exact, read
