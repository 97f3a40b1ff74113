"""Compiled scan of the eligible rows, leaf after leaf.

The arguments that say which rows must not be hits are those of ``recsys.index.kernels``.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import numpy as np
from numba import types

from recsys.index.kernels import (
    AHEAD,
    F4,
    F8,
    HIDDEN,
    HITS,
    I1,
    I2,
    I4,
    I8,
    MATRIX,
    array,
    compiled,
    exact_score,
    float_score,
    is_hidden,
    offer,
    prefetch,
    sort,
    worse,
)

_PARTITION = types.Tuple(
    (
        array(F4, 2),  # centroids [leaves, d]
        array(F4),  # spread [leaves]
        array(F4),  # radius [leaves]
        array(I4),  # order [n]
        array(I1, 2),  # codes [n, d]
        array(F4),  # scale [n]
        array(F4),  # error [n]
    )
)
_GROUPS = types.Tuple((array(I4), array(I8), array(I4)))
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


@compiled(
    types.void(
        MATRIX,
        MATRIX,
        array(I8),
        _PARTITION,
        _GROUPS,
        array(F8),
        F8,
        HIDDEN,
        HITS,
        array(I8, 2, written=True),
    )
)
def scan_leaves(vectors, queries, chosen, partition, groups, slack, reach, hidden, hits, counts):
    """The best eligible rows of each query, from leaves in the order of their bounds.

    The bound of a leaf is ``reach`` standard deviations above the score of its centroid; with an
    infinite reach, no row of the leaf exceeds it. A scan ends before the first leaf with a bound
    below the k-th score. ``counts[at]`` receives the numbers of leaves, rows read and exact scores.
    """
    centroids, spread, radius, order, codes, scale, error = partition
    leaves, begins, positions = groups
    _, died, version, never, starts = hidden
    out_rows, out_scores, found = hits
    whole = np.empty(queries.shape[1], np.int16)
    sizes = np.empty(2, np.float64)
    scores_of = np.empty(len(leaves), np.float32)
    bounds = np.empty(len(leaves), np.float32)
    heap = np.empty(len(leaves), np.int32)
    waiting = np.empty(AHEAD, np.int32)
    for i in range(len(chosen)):
        at = chosen[i]
        query, best, scores, size = queries[at], out_rows[at], out_scores[at], 0
        step = _round_query(query, whole, sizes)
        norm, lost = sizes[0], sizes[1]
        for j in range(len(leaves)):
            leaf = leaves[j]
            scores_of[j] = float_score(centroids, leaf, query)
            width = radius[leaf] if reach == np.inf else np.float32(reach) * spread[leaf]
            bounds[j] = scores_of[j] + np.float32(norm) * width
            heap[j] = j
        for j in range(len(leaves) // 2 - 1, -1, -1):
            _sink(bounds, heap, len(leaves), j)
        left, visited, read, exact = len(leaves), 0, 0, 0
        while left > 0:
            if size == len(scores) and bounds[0] + slack[i] < scores[0]:
                break
            group, left = heap[0], left - 1
            bounds[0], heap[0] = bounds[left], heap[left]
            _sink(bounds, heap, left, 0)
            base = np.float64(scores_of[group]) + slack[i]
            kept, last = 0, begins[group + 1]
            for j in range(begins[group], last):
                position = positions[j] if len(positions) else np.int32(j)
                bound = base + norm * error[position] + lost * scale[position]
                bound += step * scale[position] * _code_score(codes, position, whole)
                if size < len(scores) or bound >= scores[0]:
                    waiting[kept] = order[position]
                    prefetch(vectors, waiting[kept])
                    kept += 1
                if kept < AHEAD and j + 1 < last:
                    continue
                for each in range(kept):
                    row = waiting[each]
                    score = exact_score(vectors, row, query)
                    if size == len(scores) and not worse(scores[0], best[0], score, row):
                        continue
                    if not is_hidden(row, died, version, never, starts[at], starts[at + 1]):
                        size = offer(scores, best, size, score, row)
                exact, kept = exact + kept, 0
            visited, read = visited + 1, read + last - begins[group]
        sort(scores, best, size)
        found[at] = size
        counts[at, 0], counts[at, 1], counts[at, 2] = visited, read, exact
