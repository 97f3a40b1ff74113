"""One byte per dimension of each row, compared with a query of whole numbers.

The product and a bound of what both lose decide which vectors are read.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import numpy as np

from recsys.loops import F4, F8, I1, I2, I4, I8, allocation_free, array

ROWS = (array(I4, 2, written=True), array(F4, written=True))
"""Products and positions of a block of rows, and the scores of the centroids of their leaves."""
_MOST = 32_767
"""Largest number in a query of whole numbers."""


@allocation_free(I4(array(I1, 2), I8, array(I2)))
def code_score(codes, position, whole):
    """Product of the codes at a position with a query of whole numbers."""
    total = np.int32(0)
    for i in range(whole.shape[0]):
        total += np.int32(codes[position, i]) * np.int32(whole[i])
    return total


@allocation_free(F8(array(F4), array(I2, written=True), array(F8, written=True)))
def round_query(query, whole, sizes):
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


@allocation_free(
    I8(array(I1, 2), array(F4, 2), *ROWS, I8, array(I2), array(F4), F4), fastmath={"contract"}
)
def select(codes, factors, block, bases, count, whole, bound, least):
    """Keep the positions of a block that can have the score ``least``, and return their number.

    ``bases`` holds the score of the centroid of each row's leaf, ``bound`` the rounding error of
    it, the step of the query, its error for codes of unit scale, and its length.
    """
    products, near, kept = block[0], block[1], 0
    for j in range(count):
        products[j] = code_score(codes, near[j], whole)
    for j in range(count):
        position = near[j]
        scale, error = factors[position, 0], factors[position, 1]
        above = scale * (bound[1] * products[j] + bound[2]) + bound[3] * error
        near[kept] = position
        kept += bases[j] + bound[0] + above >= least
    return kept
