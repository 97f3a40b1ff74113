"""Compiled summaries of groups of rows, and the types of what a scan reads."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import numpy as np
from numba import types

from recsys.index.leaves.sketches import SKETCHES
from recsys.loops import F4, I1, I4, I8, array, compiled

PARTITION = types.Tuple(
    (
        array(F4, 2),  # centroids [leaves, d]
        array(I4),  # order [n]
        array(I1, 2),  # codes [n, d]
        array(F4, 2),  # factors [n, 2]
        array(F4, 2),  # axes [m, d]
        array(F4),  # doubt of the sketches [1]
    )
)
GROUPS = types.Tuple(
    (
        array(I4),  # leaves [m]
        array(I8),  # begins [m + 1]
        array(I4),  # positions
        types.Tuple((array(I1, 2), array(F4))),  # means [m, d], mean_steps [m]
        array(F4),  # spread [m]
        types.Tuple(SKETCHES),  # bits [2 * words, eligible], steps [eligible]
    )
)


_MEANS = (array(F4, 2, written=True), array(F4, written=True))


@compiled(types.void(PARTITION, array(I4), array(I8), array(I4), *_MEANS))
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
